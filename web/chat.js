/**
 * The chat page: sends messages, follows the conversation's events, shows both.
 *
 * Laws: an event is shown once, whichever line brings it. A message keeps its id until the server has it, so it may
 * be sent again and again and is answered once. What somebody wrote only ever becomes text nodes.
 *
 * @typedef {{id: string, data: string}} Frame  One server-sent event.
 * @typedef {{id: string, text: string, turn: Turn}} Item  A message that the server has not confirmed yet.
 */

const TEXTS = {
  en: {
    anew: "New conversation", log: "Conversation", label: "Your message", hint: "Write a message", send: "Send", you: "You",
    welcome: "Hello! What can we do for you?", leave: "Leave this conversation and start a new one?",
    typing: "The answer is being written", lost: "The line is down. Connecting again…", failed: "This could not be sent.",
    gone: "Send it again to start a new conversation.", sources: "Sources", basic: "Basic mode",
    month: "a month, USD", quote: "Quote", until: "valid until", ticket: "Ticket",
    waiting: "waiting for a person", claimed: "a person has it", resolved: "closed",
    rate: "Rate this answer", of5: "of 5", thanks: "Thank you for your rating.",
    long: "That message is too long ({n} characters, at most 8,000). Please shorten it.",
  },
  es: {
    anew: "Nueva conversación", log: "Conversación", label: "Tu mensaje", hint: "Escribe un mensaje", send: "Enviar", you: "Tú",
    welcome: "¡Hola! ¿Qué podemos hacer por ti?", leave: "¿Dejar esta conversación y empezar otra?",
    typing: "Se está escribiendo la respuesta", lost: "Se cortó la línea. Conectando de nuevo…", failed: "No se pudo enviar.",
    gone: "Envíalo otra vez para empezar una conversación nueva.", sources: "Fuentes", basic: "Modo básico",
    month: "al mes, USD", quote: "Cotización", until: "válida hasta el", ticket: "Caso",
    waiting: "a la espera de una persona", claimed: "lo tiene una persona", resolved: "cerrado",
    rate: "Valora la respuesta", of5: "de 5", thanks: "Gracias por tu valoración.",
    long: "El mensaje es demasiado largo ({n} caracteres, máximo 8.000). Acórtalo, por favor.",
  },
};
const LOCALE = /^[a-z]{2,3}/i.exec(navigator.language)?.[0].toLowerCase() ?? "en";
const LANG = LOCALE === "es" ? "es" : "en";
const T = TEXTS[LANG];
const MOST_CHARACTERS = 8000;
const SILENCE_MS = 35_000; // the server speaks at least every 15 s: a line that is silent for longer is dead
const PAUSE_MS = { first: 400, most: 15_000 };

const [log, welcome, box, form, sendButton, statusLine, errorLine] =
  ["log", "welcome", "box", "form", "send", "status", "error"].map((id) => document.getElementById(id));
const hasMouse = matchMedia("(pointer: fine)").matches;

/** An element of this class with these children; strings become text nodes. */
function el(tag, kind, ...children) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

function button(kind, text, onclick, ariaLabel = null) {
  return Object.assign(el("button", kind, text), { type: "button", onclick, ariaLabel });
}

function say(line, text) {
  if (line.textContent !== text) line.textContent = text;
}

// ---- Words: a small, safe part of Markdown -------------------------------------------------------------------

function link(text, href) {
  if (!/^https?:\/\/\S+$/i.test(href)) return document.createTextNode(text);
  return Object.assign(el("a", "", text), { href, target: "_blank", rel: "noopener noreferrer" });
}

function inline(line) {
  const nodes = [];
  let end = 0;
  for (const found of line.matchAll(/\*\*(.+?)\*\*|\[([^[\]]+)\]\((https?:\/\/[^\s)]+)\)/gi)) {
    const [all, bold, text, href] = found;
    nodes.push(line.slice(end, found.index), bold ? el("strong", "", ...inline(bold)) : link(text, href));
    end = found.index + all.length;
  }
  return [...nodes, line.slice(end)];
}

/** Paragraphs and lists as elements; with `choose`, the items of numbered lists are buttons. */
export function format(text, choose = null) {
  const blocks = [];
  let isOpen = false;
  const block = (tag) => {
    if (!isOpen || blocks.at(-1).localName !== tag) blocks.push(document.createElement(tag));
    isOpen = true;
    return blocks.at(-1);
  };
  for (const line of text.split("\n")) {
    const [, number, item] = /^\s*(?:[-*]|(\d{1,3})[.)])\s+(\S.*)$/.exec(line) ?? [];
    if (item) {
      const list = block(number ? "ol" : "ul");
      if (number && !list.hasChildNodes()) list.start = Number(number);
      list.append(el("li", "", ...(number && choose ? [button("choice", item, () => choose(item))] : inline(item))));
    } else if (line.trim()) {
      const paragraph = block("p");
      paragraph.append(...(paragraph.hasChildNodes() ? [el("br")] : []), ...inline(line));
    } else {
      isOpen = blocks.at(-1)?.localName === "ol"; // a numbered list may go on after an empty line
    }
  }
  return blocks;
}

// ---- A turn on the page: the question, its answer, and what belongs to it ------------------------------------

class Turn {
  seq = 0; // number of the last event shown
  asked = "";
  text = "";
  hasSpecialist = false;
  typing = el("p", "typing", el("span"), el("span"), el("span"), el("span", "hidden", T.typing));
  words = Object.assign(el("div", "words"), { dir: "auto" });
  answer = el("div", "answer", this.words);
  element = el("section", "turn", this.answer);

  ask(text) {
    this.asked = text;
    const who = el("span", "hidden", `${T.you}: `);
    this.element.prepend(el("p", "question", who, el("bdi", "", text)));
  }

  wait() {
    this.answer.ariaBusy = "true"; // so that it is read out once, when it is complete
    this.answer.append(this.typing);
  }

  write(text, choose = null) {
    this.typing.remove();
    this.text = text;
    this.words.replaceChildren(...format(text, choose));
  }

  /** Each source once, with a number; a line of the text that only links to one of them becomes its number. */
  cite(citations) {
    const titles = new Map(citations.map(({ url, title }) => [url, title]));
    const urls = [...titles.keys()];
    if (!urls.length) return;
    this.write(this.text.replace(/\n\[[^[\]\n]*\]\((https?:[^\s)]+)\)(?=\n|$)/g, (line, url) =>
      titles.has(url) ? ` [${urls.indexOf(url) + 1}]` : line));
    const items = urls.map((url) => el("li", "", link(titles.get(url) || url, url)));
    this.answer.append(el("div", "sources", el("p", "", T.sources), el("ol", "", ...items)));
  }

  price({ quote_id, monthly_premium_usd, valid_until }) {
    const day = new Date(`${valid_until}T12:00`).toLocaleDateString(LANG, { dateStyle: "long" });
    const sum = el("p", "", el("strong", "", `$${monthly_premium_usd}`), ` ${T.month}`);
    this.answer.append(el("div", "card", sum, el("p", "", `${T.quote} ${quote_id}, ${T.until} ${day}`)));
  }

  ticket({ ticket_id, state }) {
    const line = el("p", "ticket", `${T.ticket} ${ticket_id}: ${T[state] ?? state}`);
    line.dataset.ticket = ticket_id;
    const shown = log.querySelector(`[data-ticket="${CSS.escape(ticket_id)}"]`);
    if (shown) shown.replaceWith(line);
    else this.answer.append(line);
  }

  end({ degraded = false, turn_id = null }) {
    this.typing.remove();
    this.answer.ariaBusy = "false";
    if (degraded) this.answer.append(el("p", "mark", T.basic));
    if (this.hasSpecialist && turn_id) this.answer.append(ratingRow(turn_id));
    else if (turn_id && this.element === log.lastElementChild) this.write(this.text, pick); // the desk asked back
  }
}

function ratingRow(turn_id) {
  const row = Object.assign(el("div", "rating", el("span", "", T.rate)), { role: "group", ariaLabel: T.rate });
  const rate = async (rating) => {
    const sent = await fetch(`chat/${chat.id}/feedback`, post({ rating, turn_id })).catch(() => null);
    row.replaceChildren(sent?.ok ? T.thanks : T.failed);
  };
  row.append(...[1, 2, 3, 4, 5].map((n) => button("quiet", String(n), () => rate(n), `${n} ${T.of5}`)));
  return row;
}

// ---- Lines to the server -------------------------------------------------------------------------------------

/** The server's plain no. Whatever else goes wrong is a broken line, and is tried again. */
class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function throwRefusal(response) {
  const error = (await response.json().catch(() => null))?.error;
  if (error || response.status < 500) throw new Refused(response.status, error?.message ?? T.failed);
  throw new Error(`HTTP ${response.status}`);
}

function post(body) {
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

/**
 * The frames of an event stream. One that the end cut off is dropped: it comes again on the next line.
 * @returns {AsyncGenerator<Frame>}
 */
export async function* readFrames(body, onBytes = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let [held, id, data] = ["", "", []];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const lines = (held + value).split(/\r\n|\n|\r(?!$)/); // a \r at the end may be the first half of \r\n
    held = lines.pop();
    for (const line of lines) {
      const [, name, text] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (name === "id") id = text;
      else if (name === "data") data.push(text);
      else if (line === "" && data.length) yield { id, data: data.splice(0).join("\n") };
    }
  }
}

/** Open a line and give its frames to `take` until it ends. Throws Refused, or whatever broke it. */
async function listen(url, init, take, ...signals) {
  const line = new AbortController();
  let silence;
  const onBytes = () => {
    clearTimeout(silence);
    silence = setTimeout(() => line.abort(), SILENCE_MS);
  };
  onBytes();
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.any([line.signal, ...signals]) });
    if (!response.ok) await throwRefusal(response);
    say(statusLine, "");
    for await (const frame of readFrames(response.body, onBytes)) take(frame);
  } finally {
    clearTimeout(silence);
    line.abort();
  }
}

/** Wait longer after each failure, never in step with other pages; being online again ends the wait. */
async function pause(failures, signal) {
  if (failures) say(statusLine, T.lost);
  const { promise, resolve } = Promise.withResolvers();
  const timer = setTimeout(resolve, Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** failures) * (0.5 + Math.random() / 2));
  const awake = new AbortController();
  addEventListener("online", resolve, { signal: awake.signal });
  signal.addEventListener("abort", resolve, { signal: awake.signal });
  await promise;
  clearTimeout(timer);
  awake.abort();
}

// ---- The conversation ----------------------------------------------------------------------------------------

const chat = {
  id: localStorage.getItem("chat.id"),
  life: new AbortController(), // ends when the conversation is left
  /** @type {Map<string, Turn>} */ turns: new Map(),
  /** @type {Item | null} */ waiting: null,
  refused: { id: "", text: "" },
  isFollowed: false,
  lacksQuestions: true,
};

/** Remember the message that waits for the server, through a reload too. */
function setWaiting(item) {
  chat.waiting = item;
  sendButton.disabled = item !== null;
  if (item) sessionStorage.setItem("chat.waiting", JSON.stringify({ id: item.id, text: item.text }));
  else sessionStorage.removeItem("chat.waiting");
}

/** Whether these words are on their way now. After a refusal they keep their id: the server may have them after all. */
function send(text) {
  if (chat.waiting || !text.trim()) return false;
  const length = [...text.trim()].length;
  say(errorLine, length > MOST_CHARACTERS ? T.long.replace("{n}", length.toLocaleString(LANG)) : "");
  if (length > MOST_CHARACTERS) return false;
  for (const choice of log.querySelectorAll(".choice")) choice.disabled = true;
  scrolled.away = false;
  deliver(text === chat.refused.text ? chat.refused.id : crypto.randomUUID(), text);
  return true;
}

/** Send until the server has it or says no. Once it has it, `follow` brings what a break took away. */
async function deliver(id, text) {
  const item = { id, text, turn: new Turn() };
  setWaiting(item);
  item.turn.ask(text);
  item.turn.wait();
  show(item.turn);
  for (let failures = 0; chat.waiting === item; failures += 1) {
    const body = { message: text, message_id: id, locale: LOCALE, conversation_id: chat.id ?? undefined };
    try {
      await listen("chat", post(body), apply, chat.life.signal);
    } catch (problem) {
      if (problem instanceof Refused && chat.waiting === item) takeBack(item, problem);
    }
    if (chat.waiting === item) await pause(failures, chat.life.signal);
  }
}

/** The words go back into the box, with what the server said. */
function takeBack(item, { status = 0, message = "" }) {
  setWaiting(null);
  chat.refused = item;
  item.turn.element.remove();
  box.value = [item.text, box.value].filter(Boolean).join("\n");
  fit();
  if (status === 404) forget();
  say(errorLine, status === 404 ? `${message} ${T.gone}` : message);
}

/** Follow the conversation while it is open and the page is looked at; what was missed comes first. */
async function follow() {
  if (chat.isFollowed || !chat.id) return;
  chat.isFollowed = true;
  const { signal } = chat.life;
  let [last, failures] = ["", 0];
  const take = (frame) => {
    [last, failures] = [frame.id, 0];
    apply(frame);
  };
  while (!signal.aborted) {
    const hidden = new AbortController(); // browsers have few lines to one server: a hidden page gives its own back
    const onChange = () => document.hidden && hidden.abort();
    document.addEventListener("visibilitychange", onChange, { signal: hidden.signal });
    try {
      if (chat.lacksQuestions) await readQuestions(signal);
      const headers = last ? { "Last-Event-ID": last } : {};
      await listen(`chat/${chat.id}/events`, { headers }, take, signal, hidden.signal);
    } catch (problem) {
      if (problem.status === 404 && !signal.aborted) forget();
    }
    hidden.abort();
    if (document.hidden) await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
    else if (!signal.aborted) await pause(failures++, signal);
  }
}

/** The customer's own words, which the events do not carry: after a reload, or when another page of theirs wrote. */
async function readQuestions(signal) {
  const response = await fetch(`chat/${chat.id}`, { signal });
  if (!response.ok) await throwRefusal(response);
  const { messages } = await response.json();
  let previous = null;
  for (const { turn_id, text } of messages.filter(({ role }) => role === "customer")) {
    const turn = turnOf(turn_id);
    if (!turn.asked) turn.ask(text);
    show(turn, (element) => (previous ? previous.after(element) : log.prepend(element)));
    previous = turn.element;
  }
  chat.lacksQuestions = false;
}

function turnOf(turnId) {
  if (!chat.turns.has(turnId)) chat.turns.set(turnId, new Turn());
  return chat.turns.get(turnId);
}

/** Show an event, unless it has been shown. */
function apply(/** @type {Frame} */ { id, data }) {
  const [, turnId, number] = /^(.+):(\d+)$/.exec(id);
  const event = JSON.parse(data);
  if (event.code === "resume") return; // the answer goes on, on another line
  if (event.type === "RUN_STARTED") begin(turnId, event);
  const turn = turnOf(turnId);
  if (Number(number) <= turn.seq) return;
  turn.seq = Number(number);
  show(turn);
  if (event.type === "RUN_STARTED") turn.wait();
  else if (event.type === "SUBAGENT_STARTED") turn.hasSpecialist = true;
  else if (event.type === "TEXT_MESSAGE_CONTENT") turn.write(turn.text + event.delta);
  else if (event.type === "TEXT_MESSAGE_END") turn.cite(event.metadata?.citations ?? []);
  else if (event.name === "frontdesk.quote") turn.price(event.value);
  else if (event.name === "frontdesk.handoff") turn.ticket(event.value);
  else if (event.type === "RUN_FINISHED") turn.end(event.result ?? {});
  else if (event.type === "RUN_ERROR") {
    if (!turn.text) turn.write(event.message); // else it is the notice that came as text
    turn.end({});
  }
  settle();
}

/** A turn began: the message that waited is confirmed, or another page of the customer's wrote. */
function begin(turnId, { threadId, runId }) {
  if (!chat.id) {
    Object.assign(chat, { id: threadId, lacksQuestions: false });
    localStorage.setItem("chat.id", threadId);
  }
  if (chat.waiting?.id === runId) {
    if (chat.turns.has(turnId)) chat.waiting.turn.element.remove();
    else chat.turns.set(turnId, chat.waiting.turn);
    setWaiting(null);
  } else if (!turnOf(turnId).asked) {
    chat.lacksQuestions = true;
    readQuestions(chat.life.signal).catch(() => {}); // then the next line does it
  }
  follow();
}

/** Leave the conversation; what the page shows stays. */
function forget() {
  chat.life.abort();
  Object.assign(chat, { id: null, life: new AbortController(), isFollowed: false });
  localStorage.removeItem("chat.id");
  say(statusLine, "");
}

// ---- The page ------------------------------------------------------------------------------------------------

const scrolled = { to: 0, away: false }; // where the page scrolled to; whether the customer scrolled away from there

function show(turn, place = (element) => log.append(element)) {
  if (turn.element.isConnected) return;
  welcome.remove();
  place(turn.element);
  settle();
}

/** Keep the newest words in view, without pushing the newest question out of it. */
function settle() {
  const top = (log.lastElementChild?.offsetTop ?? 0) - log.offsetTop - 12;
  scrolled.to = Math.max(0, Math.min(log.scrollHeight - log.clientHeight, top));
  if (!scrolled.away) log.scrollTop = scrolled.to;
}

function fit() {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
}

function submit(event) {
  event.preventDefault();
  if (send(box.value)) box.value = "";
  fit();
}

function pick(choice) {
  send(choice);
  (hasMouse ? box : log).focus();
}

function startAnew() {
  if (log.firstElementChild !== welcome && !confirm(T.leave)) return;
  if (chat.waiting) takeBack(chat.waiting, {});
  forget();
  chat.turns.clear();
  log.replaceChildren(welcome);
  box.focus();
}

document.documentElement.lang = LANG;
for (const node of document.querySelectorAll("[data-text]")) node.textContent = T[node.dataset.text];
log.ariaLabel = T.log;
box.placeholder = T.hint;
setTimeout(() => Object.assign(log, { ariaLive: "polite" }), 2000); // what is there already is not read out
form.onsubmit = submit;
box.oninput = fit;
box.onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
};
log.onscroll = () => {
  const below = log.scrollHeight - log.clientHeight - log.scrollTop;
  scrolled.away = below > 4 && Math.abs(log.scrollTop - scrolled.to) > 4;
};
document.getElementById("anew").onclick = startAnew;
if (hasMouse) box.focus();
const unsent = JSON.parse(sessionStorage.getItem("chat.waiting"));
if (unsent) deliver(unsent.id, unsent.text);
follow();
