// Suggestions under the search field, as a combobox (ARIA Authoring Practices). Beside the WASM, because it is a
// fraction of what it would be there and answers before that is loaded. Without it the field is a plain form.

const PAUSE_MS = 120;
const MOVES = { ArrowDown: 1, ArrowUp: -1 };

let timer, request;

const field = (target) => target.closest?.('.search__input');
const parts = (input) => ({ list: input.form.querySelector('[role=listbox]'), said: input.form.querySelector('[role=status]') });
const options = (input) => [...(parts(input).list?.children ?? [])];
const active = (input) => options(input).find((option) => option.ariaSelected === 'true');
const isOpen = (input) => input.ariaExpanded === 'true';

/** A plain field becomes a combobox when somebody comes to it. */
const dress = (input) => {
  if (parts(input).list) return;
  const list = Object.assign(document.createElement('ul'), { className: 'suggestions', id: `${input.id}-suggestions`, hidden: true });
  list.role = 'listbox';
  list.ariaLabel = 'Suggestions';
  const said = Object.assign(document.createElement('p'), { className: 'visually-hidden' });
  said.role = 'status';
  input.form.append(list, said);
  input.role = 'combobox';
  input.ariaAutoComplete = 'list';
  input.ariaExpanded = 'false';
  input.setAttribute('aria-controls', list.id);
};

const close = (input) => {
  clearTimeout(timer);
  request?.abort();
  const { list, said } = parts(input);
  if (!list) return;
  list.hidden = true;
  list.replaceChildren();
  said.textContent = '';
  input.ariaExpanded = 'false';
  input.removeAttribute('aria-activedescendant');
};

const option = (input) => ({ text, note, href }, at) => {
  const item = Object.assign(document.createElement('li'), { id: `${input.id}-suggestion-${at}`, className: 'suggestion' });
  item.role = 'option';
  item.ariaSelected = 'false';
  item.dataset.href = href;
  for (const [name, words] of [['text', text], ['note', note]]) {
    item.append(Object.assign(document.createElement('span'), { className: `suggestion__${name}`, textContent: words }), ' ');
  }
  return item;
};

const suggest = async (input) => {
  const q = input.value.trim();
  request?.abort();
  if (!q) return close(input);
  request = new AbortController();
  const { signal } = request;
  try {
    const answer = await fetch(`/api/books/suggest?q=${encodeURIComponent(q)}`, { signal, headers: { accept: 'application/json' } });
    const { suggestions } = answer.ok ? await answer.json() : { suggestions: [] };
    if (signal.aborted || document.activeElement !== input) return;
    if (!suggestions.length) return close(input);
    const { list, said } = parts(input);
    list.replaceChildren(...suggestions.map(option(input)));
    list.hidden = false;
    input.ariaExpanded = 'true';
    input.removeAttribute('aria-activedescendant');
    said.textContent = suggestions.length === 1 ? '1 suggestion' : `${suggestions.length} suggestions`;
  } catch {
    // Typed on, or offline: there is still the form.
  }
};

/** From the field down to the last suggestion and round to the field again. */
const move = (input, by) => {
  const all = options(input);
  const ring = all.length + 1;
  const at = (all.indexOf(active(input)) + 1 + by + ring) % ring;
  all.forEach((item, n) => { item.ariaSelected = String(n === at - 1); });
  if (at === 0) return input.removeAttribute('aria-activedescendant');
  input.setAttribute('aria-activedescendant', all[at - 1].id);
  all[at - 1].scrollIntoView({ block: 'nearest' });
};

/** By a link, so that the pages' own navigation takes it. */
const go = (input, { dataset: { href } }) => {
  close(input);
  const link = Object.assign(document.createElement('a'), { href, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
};

const on = (type, act) => document.addEventListener(type, act, true);

on('focusin', ({ target }) => { if (field(target)) dress(field(target)); });
on('focusout', ({ target }) => { if (field(target)) close(field(target)); });
on('submit', ({ target }) => { const input = target.querySelector?.('.search__input'); if (input) close(input); });
on('input', ({ target }) => {
  const input = field(target);
  if (!input) return;
  dress(input);
  clearTimeout(timer);
  timer = setTimeout(suggest, PAUSE_MS, input);
});
on('keydown', (event) => {
  const input = field(event.target);
  if (!input || event.isComposing) return;
  const chosen = active(input);
  if (MOVES[event.key] && isOpen(input)) move(input, MOVES[event.key]);
  else if (event.key === 'ArrowDown') suggest(input);
  else if (event.key === 'Enter' && chosen) go(input, chosen);
  else if (event.key === 'Escape' && isOpen(input)) close(input);
  else return;
  event.preventDefault();
  event.stopPropagation();
});
// Not click: the field would have lost the focus, and the list its suggestions, before it.
on('pointerdown', (event) => { if (event.target.closest?.('.suggestions')) event.preventDefault(); });
on('mousedown', (event) => { if (event.target.closest?.('.suggestions')) event.preventDefault(); });
on('click', ({ target }) => {
  const item = target.closest?.('.suggestion');
  if (item) go(item.closest('form').querySelector('.search__input'), item);
});
