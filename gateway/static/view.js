// Draws one line of the conversation. Every word goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);
export const words = JSON.parse($("words").textContent);
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** Make an element: `make("p.quiet", "text", child, ...)`; falsy children are left out. */
export function make(what, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  element.append(...children.filter(Boolean));
  return element;
}

export function button(title, act, kind = "") {
  const made = make("button", title);
  made.type = "button";
  if (kind) made.className = kind;
  made.addEventListener("click", () => act(made));
  return made;
}

/** The text with its https addresses as links that open elsewhere and tell the other site nothing. */
function linked(text) {
  return text.split(/(https:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/).map((part, index) => {
    if (index % 2 === 0) return part;
    const link = make("a", part.replace(/^https:\/\/(www\.)?/, ""), make("span.unseen", ` (${words.opens_new})`));
    Object.assign(link, { href: part, target: "_blank", rel: "noopener noreferrer" });
    return link;
  });
}

/** Paragraphs, and lists where lines begin with a dash, a dot or a number. */
function paragraphs(text) {
  const blocks = [];
  let list = null;
  for (const line of text.split("\n").map((found) => found.trim())) {
    const item = line.match(/^(?:([-•*])|\d{1,2}[.)])\s+(.+)/);
    if (!item) {
      list = null;
      if (line) blocks.push(own(make("p", ...linked(line))));
      continue;
    }
    const kind = item[1] ? "ul.list" : "ol.list";
    if (list?.kind !== kind) { list = { kind, element: own(make(kind)) }; blocks.push(list.element); }
    list.element.append(make("li", ...linked(item[2])));
  }
  return blocks;
}

/** Direction by the text itself: an English sentence inside an Arabic page reads from the left. */
function own(element) {
  element.dir = "auto";
  return element;
}

function chips(label, offered, act) {
  return make("div.chips", make("span", label), ...offered.map((chip) => button(chip.title, () => act(chip))));
}

/** Numbers to tap. */
export const calls = (numbers) => make("div.calls", ...numbers.map((number) => {
  const link = make("a", fill(words.call, { number }));
  link.href = `tel:${number.replace(/[^\d+]/g, "")}`;
  return link;
}));

/** A line that ends in a colon, over a list, is a heading. */
function headings(blocks) {
  return blocks.map((block, index) => {
    const heads = block.tagName === "P" && block.textContent.endsWith(":") && blocks[index + 1];
    return heads ? own(make("h2", block.textContent)) : block;
  });
}

const titled = (items) => (Array.isArray(items) ? items.filter((item) => item?.title) : []); // ids alone are for programs

function comparison(custom) {
  const card = (difference) => {
    const parts = [["first", words.first_opinion], ["second", words.second_opinion]].filter(([key]) => difference[key]);
    const list = make("dl", ...parts.map(([key, title]) => make("div", make("dt", title), own(make("dd", difference[key])))));
    return make("li.card", make("h3", difference.title), parts.length && list, difference.why && own(make("p", difference.why)));
  };
  const points = titled(custom.points);
  const block = (title, items) => items.length && make("section", make("h2", title), make("ul.pair", ...items.map(card)));
  return [
    block(words.differ, points.filter((point) => point.verdict !== "agree")),
    block(words.agree, points.filter((point) => point.verdict === "agree")),
  ];
}

function reportCheck(custom) {
  const part = (kind, title, items) => items.length && make("section.card", make("h2", title), make(`ul.${kind}`, ...items.map((item) =>
    own(make("li", item.title, item.question && make("p.quiet", fill(words.report_ask, item)))))));
  return [part("found", words.report_found, titled(custom.found)), part("missing", words.report_missing, titled(custom.missing))];
}

function reference(custom) {
  if (!custom.reference) return [];
  return [make("p", `${words.reference}: `, make("span.reference", custom.reference))];
}

const EXTRAS = { comparison, report_check: reportCheck, case: reference };

const time = (at) => {
  const made = make("time", new Date(at * 1000).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }));
  made.dateTime = new Date(at * 1000).toISOString();
  return made;
};

/** The list item for one event. `act` has `say(chip)` and `rate(event, helped)`. */
export function line(event, act) {
  const custom = event.custom ?? {};
  const bot = event.who !== "user";
  const item = make(`li.${bot ? "bot" : "user"}`);
  if (custom.kind) item.classList.add(custom.kind);
  const bubble = make("div.bubble", make("span.unseen", `${bot ? words.assistant : words.you}: `));
  if (bot) bubble.append(...headings(paragraphs(event.text ?? "")));
  else bubble.append(own(make("span", event.text)));
  if (event.link) bubble.append(make("p", ...linked(event.link)));
  bubble.append(...(EXTRAS[custom.kind]?.(custom) ?? []).filter(Boolean));
  if (event.calls?.length && custom.kind !== "escalation") bubble.append(calls(event.calls));
  if (event.terms) bubble.append(chips(words.terms, event.terms, act.say));
  if (event.sources) bubble.append(chips(words.sources, event.sources, act.say));
  if (custom.kind === "plan" && act.pdf) bubble.append(button(words.plan_pdf, act.pdf, "button"));
  item.append(bubble);
  const meta = make("div.meta", event.at && time(event.at));
  if (custom.reviewed) meta.append(make("span", fill(words.reviewed, { date: custom.reviewed })));
  if (custom.kind === "answer" && event.id) meta.append(helped(event, act.rate));
  item.append(meta);
  return item;
}

function helped(event, rate) {
  const group = make("span", `${words.helped} `);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", words.helped);
  const choose = (value) => async () => {
    await rate(event.id, value);
    group.textContent = words.helped_thanks;
    group.tabIndex = -1;
    group.focus();
  };
  group.append(button(words.helped_yes, choose(true)), " ", button(words.helped_no, choose(false)));
  return group;
}

/** What a screen reader hears of a reply, once: its text, then the choices under it. */
export const spoken = (event) => [event.text, ...(event.buttons ?? []).map((choice) => choice.title)].filter(Boolean).join(". ");
