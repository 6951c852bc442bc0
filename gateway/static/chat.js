// The page: what is written, chosen, pinned and said, and what happens when the line is cut.

import { Refusal, connect, memory, newId } from "./api.js";
import { $, button, calls, fill, line, make, spoken, words } from "./view.js";
import { special, titleOf } from "./special.js";
import { menu } from "./menu.js";

const [log, quick, text, scroll, status, problem] = ["log", "quick", "text", "scroll", "status", "problem"].map($);
const DRAFT = "plainspoken.draft";
const UNSENT = "plainspoken.unsent";
const LIMIT = 1000;
const LONGEST = 8000;

const options = new URLSearchParams(location.search);
const events = []; // all that was said, for "save"
const sent = new Map(); // messages of this page, by id: {message, item}
const waiting = new Set(); // ids of messages not answered yet
let live = false; // false while the past is being drawn
let day = "";

const api = connect(document.documentElement.lang, { event: show, ready, state, gone });

// --- What comes in ---------------------------------------------------------------------------------------------------

function show(event) {
  events.push(event);
  if (event.who === "user") {
    sent.get(event.turn)?.item.remove();
    settle(event.turn);
    if (event.turn) waiting.add(event.turn);
    clear();
  } else if (event.turn && quick.dataset.turn !== event.turn) {
    clear(); // a new answer; a notice in between leaves the open choices alone
  }
  if (event.last) waiting.delete(event.turn);
  newDay(event.at);
  const item = add(line(event, { say: choose, rate, pdf: menu.pdf }));
  if (event.who !== "user") reply(event, item);
  if (live) follow(item);
  typing();
}

function reply(event, item) {
  const custom = event.custom ?? {};
  if (event.turn) quick.dataset.turn = event.turn;
  const ticked = custom.type === "multi" ? (custom.choices ?? []).map(titleOf) : [];
  for (const choice of event.buttons ?? []) if (!ticked.includes(choice.title)) quick.append(button(choice.title, () => choose(choice)));
  if (event.menu) menu.offer(event.menu, choose);
  if (custom.kind === "escalation") pin(event);
  if (custom.kind === "erased") forget(item);
  if (custom.kind === "intake") special.show(custom, event.text, (answer) => say({ text: answer }));
  if (event.turn) $("progress").hidden = !custom.step;
  if (custom.step) {
    $("progress").firstElementChild.textContent = fill(words.step, custom);
    Object.assign($("progress").lastElementChild, { max: custom.of, value: custom.step });
    $("progress").lastElementChild.setAttribute("aria-label", fill(words.step, custom));
  }
  if (live) announce(spoken(event), custom.kind === "escalation");
  if (live && custom.kind === "escalation") item.scrollIntoView({ block: "nearest" });
}

function ready() {
  live = true;
  for (const message of JSON.parse(memory.get(UNSENT) ?? "[]")) if (!sent.has(message.id)) { draw(message); deliver(message); }
  for (const { message, failed } of [...sent.values()]) if (failed) deliver(message);
  scroll.scrollTop = scroll.scrollHeight;
  document.documentElement.dataset.ready = "yes";
}

function state(now) {
  status.textContent = { online: words.online, offline: words.offline, reconnecting: words.reconnecting }[now];
  if (now === "online") setTimeout(() => { if (status.textContent === words.online) status.textContent = ""; }, 4000);
}

/** The server does not know this chat any more: say so, keep what is on the screen and in the box. */
function gone() {
  api.forget();
  closed(words.problem_session_gone);
}

function closed(said) {
  waiting.clear();
  typing();
  clear();
  $("write").hidden = true;
  add(line({ who: "bot", text: said, custom: { kind: "problem" } }, {}));
  quick.append(button(words.new_chat, begin));
  announce(said);
  scroll.scrollTop = scroll.scrollHeight;
}

/** What was deleted everywhere else is not to be read or saved here either. */
function forget(item) {
  events.splice(0, events.length - 1);
  log.replaceChildren(item);
  for (const id of ["live", "urgent"]) $(id).replaceChildren();
}

/** Take every word of this chat off the page. */
function wipe() {
  events.length = 0;
  sent.clear();
  waiting.clear();
  memory.set(UNSENT, null);
  log.replaceChildren();
  clear();
  day = "";
  live = false;
  for (const id of ["emergency", "progress"]) $(id).hidden = true;
  problem.textContent = status.textContent = text.value = "";
  grow();
  typing();
}

function begin() {
  wipe();
  $("write").hidden = false;
  text.focus();
  api.listen();
}

// --- What goes out ---------------------------------------------------------------------------------------------------

function say(content) {
  const message = { id: newId(), ...content };
  problem.textContent = "";
  draw(message);
  return deliver(message);
}

function choose(choice) {
  say(choice.payload ? { payload: choice.payload, title: choice.title } : { text: choice.title });
  (matchMedia("(hover: hover)").matches ? text : scroll).focus({ preventScroll: true });
}

function draw(message) {
  const item = line({ who: "user", text: message.title ?? message.text }, {});
  item.lastElementChild.append(make("span", words.sending));
  sent.set(message.id, { message, item });
  waiting.add(message.id);
  keepUnsent();
  clear();
  add(item);
  follow(item);
  typing();
}

async function deliver(message) {
  const entry = sent.get(message.id);
  entry.failed = false;
  try {
    await api.say(message);
    if (sent.has(message.id)) settle(message.id, true);
  } catch (error) {
    refused(message, entry, error);
  }
}

/** A message that the server will never take goes back into the box; one that it could not take now can be tried again. */
function refused(message, entry, error) {
  waiting.delete(message.id);
  typing();
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 401) { back(message, entry); return gone(); }
  if ([400, 409, 413, 415, 422].includes(error.status)) {
    back(message, entry);
    problem.textContent = error.message;
    return;
  }
  if (error.message) problem.textContent = error.message;
  entry.failed = true;
  const again = button(words.try_again, () => { problem.textContent = ""; waiting.add(message.id); typing(); entry.item.lastElementChild.replaceChildren(words.sending); deliver(message); });
  entry.item.lastElementChild.replaceChildren(make("span.failed", words.not_sent), again);
}

function back(message, entry) {
  entry.item.remove();
  settle(message.id);
  if (message.text && !text.value) { text.value = message.text; grow(); }
}

/** The message is the server's now. `keep`: its own event will replace what is drawn. */
function settle(id, keep = false) {
  const entry = sent.get(id);
  if (!entry) return;
  if (keep) { entry.item.lastElementChild.replaceChildren(); entry.settled = true; } else sent.delete(id);
  keepUnsent();
}

function keepUnsent() {
  const left = [...sent.values()].filter((entry) => !entry.settled).map((entry) => entry.message);
  memory.set(UNSENT, left.length ? JSON.stringify(left) : null);
}

async function rate(event, helped) {
  try { await api.rate(event, helped); } catch { /* an opinion that does not arrive is no loss to the patient */ }
}

// --- The parts of the page -------------------------------------------------------------------------------------------

function add(item) {
  log.append(item);
  return item;
}

function newDay(at) {
  const date = new Date(at * 1000);
  const now = date.toDateString();
  if (now === day) return;
  const title = now === new Date().toDateString() ? words.today : date.toLocaleDateString(document.documentElement.lang, { dateStyle: "full" });
  if (day || title !== words.today) add(make("li.day", title));
  day = now;
}

function clear() {
  quick.replaceChildren();
  special.hide();
}

/** Keep the start of a new reply in view, and the patient's own words above it when there is room for both. */
function follow(item) {
  const asked = [...log.querySelectorAll(".user")].at(-1) ?? item;
  const fits = scroll.scrollHeight - asked.offsetTop < scroll.clientHeight;
  scroll.scrollTop = (fits ? asked : asked.nextElementSibling ?? asked).offsetTop - 12;
}

/** Say that there is more to read below, and lead there. Keys scroll by themselves. */
function below() {
  $("more").hidden = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 16; // less is the room around what stands there
}

$("more").addEventListener("click", () => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scroll.scrollBy({ top: scroll.clientHeight * 0.8, behavior: calm ? "auto" : "smooth" });
});
scroll.addEventListener("scroll", below, { passive: true });
const sizes = new ResizeObserver(below);
for (const part of [scroll, ...scroll.children]) sizes.observe(part);

function typing() {
  const on = waiting.size > 0;
  if (on === !$("typing").hidden) return;
  $("typing").hidden = !on;
  if (on) { scroll.scrollTop = scroll.scrollHeight; if (live) status.textContent = words.typing; }
  else if (status.textContent === words.typing) status.textContent = "";
}

function announce(said, urgent = false) {
  const entry = make("p", said);
  $(urgent ? "urgent" : "live").append(entry);
  setTimeout(() => entry.remove(), 30_000);
}

/** The words of an escalation stay in sight, with the numbers it names ready to tap. */
function pin(event) {
  const banner = $("emergency");
  banner.querySelector("p").textContent = event.text.match(/^.*?[.!?](?=\s|$)/s)?.[0] ?? event.text;
  banner.querySelector(".calls").replaceWith(calls(event.calls ?? []));
  banner.hidden = false;
  fold(innerHeight < 820); // the message itself needs the room more than a repeat of its first words
}

function fold(small) {
  $("emergency").classList.toggle("small", small);
  $("fold").textContent = small ? words.show_emergency : words.hide_emergency;
  $("fold").setAttribute("aria-expanded", String(!small));
}

function grow() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  const length = text.value.trim().length;
  $("count").textContent = length > LIMIT * 0.8 ? fill(words.count, { count: length, limit: LIMIT }) : "";
  $("count").classList.toggle("over", length > LIMIT);
  memory.set(DRAFT, text.value || null);
}

function write(event) {
  event.preventDefault();
  const typed = text.value.trim();
  if (!typed) { problem.textContent = words.problem_empty; return text.focus(); }
  if (typed.length > LONGEST) { problem.textContent = words.problem_too_long; return; }
  if (typed.length > LIMIT) return askReport(typed);
  text.value = "";
  grow();
  say({ text: typed });
  text.focus({ preventScroll: true });
}

async function askReport(typed) {
  if (!(await ask(words.long_text, words.send_report, words.keep_editing))) return text.focus();
  text.value = "";
  grow();
  say({ text: typed, report: true });
}

/** Ask one question that must be answered first; resolves to whether it was "yes". */
export function ask(question, yes, no) {
  const dialog = $("ask");
  $("ask-text").textContent = question;
  const [second, first] = dialog.querySelectorAll("button");
  first.textContent = yes;
  second.textContent = no;
  dialog.returnValue = "no";
  dialog.showModal();
  second.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

for (const choice of $("ask").querySelectorAll("button")) choice.addEventListener("click", () => $("ask").close(choice.value));

/** Show what is being read of a file, then what came of it. */
async function upload(id, name, sending) {
  const bar = make("progress");
  bar.setAttribute("aria-label", fill(words.uploading, { name }));
  const item = add(make("li.user", make("div.bubble", make("span", fill(words.uploading, { name })), bar)));
  problem.textContent = "";
  follow(item);
  try {
    await sending((part) => { bar.value = part; });
  } catch (error) {
    problem.textContent = error.message || words.problem_down;
    if (error.status === 401) gone();
  }
  item.remove();
}

menu.start({
  api, ask, events, begin, wipe, closed,
  report: (file) => { const id = newId(); upload(id, file.name, (progress) => api.upload(id, file, progress)); },
  images: (files) => { const id = newId(); upload(id, words.file_images, () => api.images(id, files)); },
  problem: (said) => { problem.textContent = said; },
});
$("write").addEventListener("submit", write);
$("fold").addEventListener("click", () => fold(!$("emergency").classList.contains("small")));
text.addEventListener("input", grow);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) write(event);
});

// --- Inside a frame, on a phone --------------------------------------------------------------------------------------

const framed = parent !== window;
document.documentElement.classList.toggle("framed", framed);
if (["rtl", "ltr"].includes(options.get("dir"))) document.documentElement.dir = options.get("dir");
const accent = options.get("accent");
if (/^#[0-9a-f]{6}$/i.test(accent ?? "")) {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(accent.slice(at, at + 2), 16) / 255) ** 2.2);
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  document.documentElement.style.setProperty("--accent", accent);
  document.documentElement.style.setProperty("--on-accent", light > 0.18 ? "#000" : "#fff");
}
$("close").hidden = !framed;
const leave = () => parent.postMessage("plainspoken:close", "*"); // says nothing but "close"
$("close").addEventListener("click", leave);
addEventListener("keydown", (event) => { if (event.key === "Escape" && framed && !$("ask").open && !menu.close()) leave(); });
addEventListener("message", (event) => { if (event.source === parent && event.data === "plainspoken:open") text.focus(); });

/** The keyboard of a phone covers the page without telling it; the visual viewport knows. */
const fit = () => document.documentElement.style.setProperty("--height", `${visualViewport.height}px`);
if (window.visualViewport) { visualViewport.addEventListener("resize", fit); fit(); }

text.value = memory.get(DRAFT) ?? "";
grow();
if (!framed && matchMedia("(hover: hover)").matches) text.focus();
api.listen();
