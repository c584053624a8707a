// node rush.mjs URL COOKIES KEYS: everybody places an order at the same moment, over 250 connections. Prints how many won, how many were
// answered, and p50, p99 and the last answer in ms since that moment.

import http from 'node:http';
import { lines } from './client.mjs';

const [url, cookiesFile, keys] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 250 });
const form = new URLSearchParams({
  name: 'Asha Rao', line1: '12 MG Road', city: 'Bengaluru', state: 'Karnataka', postcode: '560001', country: 'IN',
  phone: '+919845012345', email: 'asha@example.org',
}).toString();

const place = (cookie, number) => new Promise((resolve, reject) => {
  const headers = {
    cookie, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded',
    'content-length': form.length, 'idempotency-key': `${keys}${number}`,
  };
  const request = http.request(`${url}/api/orders/place`, { method: 'POST', headers, agent }, (response) => {
    response.resume();
    response.on('end', () => resolve([response.statusCode, performance.now()]));
  });
  request.on('error', reject);
  request.end(form);
});

const cookies = lines(cookiesFile);
const start = performance.now();
const answers = await Promise.all(cookies.map(place));
const times = answers.map(([, at]) => at - start).sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(0);
const of = (status) => answers.filter(([answered]) => answered === status).length;
console.log(of(200), of(200) + of(409), at(0.5), at(0.99), at(1));
process.exit(0);
