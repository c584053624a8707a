// A shopper's programs, by Node's own means: requests that keep their connection, and a socket that listens.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 128 });

/** GET without a form, else POST; answers { status, cookies, json }. */
export const ask = (url, { form, cookie } = {}) =>
  new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', ...(cookie && { cookie }) };
    if (form) headers['content-type'] = 'application/x-www-form-urlencoded';
    const request = http.request(url, { method: form ? 'POST' : 'GET', headers, agent, timeout: 10_000 }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode !== 200) return reject(new Error(`${url}: ${response.statusCode} ${text}`));
        const cookies = (response.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]);
        resolve({ cookies, json: JSON.parse(text) });
      });
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${url}: no answer in ten seconds`)));
    request.on('error', reject);
    request.end(form && new URLSearchParams(form).toString());
  });

export const lines = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean);

/** Opens /live; `hear` gets every JSON frame. Frames of a server are never masked, and ours are never split. */
export const listen = (url, cookie, hear) =>
  new Promise((resolve, reject) => {
    const key = randomBytes(16).toString('base64');
    const headers = { cookie, origin: url, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key };
    const request = http.request(`${url}/live`, { headers });
    request.on('response', (response) => reject(new Error(`/live: ${response.statusCode}`)));
    request.on('error', reject);
    request.on('upgrade', (response, socket, head) => {
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      if (response.headers['sec-websocket-accept'] !== accept) return reject(new Error('/live: a wrong handshake'));
      let rest = head;
      const take = (data) => {
        rest = rest.length ? Buffer.concat([rest, data]) : data;
        for (;;) {
          const frame = cut(rest);
          if (!frame) return;
          rest = frame.rest;
          if (frame.opcode === 1) hear(JSON.parse(frame.payload.toString()));
          if (frame.opcode === 9) socket.write(masked(10, frame.payload));
        }
      };
      socket.setNoDelay(true);
      socket.on('data', take);
      socket.on('error', () => {});
      take(Buffer.alloc(0));
      resolve({ send: (value) => socket.write(masked(1, Buffer.from(JSON.stringify(value)))), end: () => socket.destroy() });
    });
    request.end();
  });

/** The first whole frame of these bytes. */
const cut = (bytes) => {
  if (bytes.length < 2) return undefined;
  let [length, at] = [bytes[1] & 127, 2];
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    [length, at] = [bytes.readUInt16BE(2), 4];
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    [length, at] = [Number(bytes.readBigUInt64BE(2)), 10];
  }
  if (bytes.length < at + length) return undefined;
  return { opcode: bytes[0] & 15, payload: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) };
};

/** Frames of clients are masked, and small. */
const masked = (opcode, payload) => Buffer.concat([Buffer.from([128 | opcode, 128 | payload.length, 0, 0, 0, 0]), payload]);
