// The right way to answer one question of the intake: a date, a number, a phone, an address, several at once.
// The box to type in stays: "I don't know" must always be possible.

import { $, button, make, words } from "./view.js";

const form = $("special");
const INPUTS = {
  date: [words.input_date, { type: "date" }],
  phone: [words.input_phone, { type: "tel", autocomplete: "tel" }],
  email: [words.input_email, { type: "email", autocomplete: "email" }],
};

export const titleOf = (choice) => (typeof choice === "string" ? choice : choice.title ?? choice.label ?? choice.id ?? "");

function scale(custom, say) {
  const [least, most] = [custom.min ?? 0, custom.max ?? 10];
  if (most - least > 20) return one([words.input_number, { type: "number", inputMode: "numeric" }], say);
  const row = make("div.scale");
  for (let number = least; number <= most; number++) row.append(button(String(number), () => say(String(number))));
  return [row];
}

function one([label, kind], say) {
  const input = Object.assign(make("input"), kind, { required: true });
  const send = make("button.go", words.send_this);
  form.onsubmit = (event) => { event.preventDefault(); say(input.value); };
  return [make("div.row", make("label", label, input), send)];
}

function several(custom, say) {
  const boxes = custom.choices.map((choice) => {
    const box = make("input");
    box.type = "checkbox";
    return { box, title: titleOf(choice) };
  });
  const send = make("button.go", words.send_choices);
  form.onsubmit = (event) => {
    event.preventDefault();
    const chosen = boxes.filter(({ box }) => box.checked).map((choice) => choice.title);
    if (chosen.length) say(chosen.join(", "));
    else boxes[0].box.focus();
  };
  const legend = make("legend.quiet", words.choose_many);
  return [make("fieldset", legend, make("div.choices", ...boxes.map(({ box, title: name }) => make("label", box, name)))), make("div.row", send)];
}

export const special = {
  /** Draw what fits `custom.type`, or nothing. `say` sends the answer as if it had been typed. */
  show(custom, question, say) {
    let parts = [];
    if (custom.type === "number") parts = scale(custom, say);
    else if (INPUTS[custom.type]) parts = one(INPUTS[custom.type], say);
    else if (custom.type === "multi" && custom.choices?.length) parts = several(custom, say);
    form.replaceChildren(...parts);
    form.hidden = !parts.length;
    $("text").placeholder = parts.length ? words.or_type : words.placeholder;
    if (parts.length) form.setAttribute("aria-label", question?.slice(0, 200) ?? "");
  },
  hide() {
    form.hidden = true;
    form.replaceChildren();
    $("text").placeholder = words.placeholder;
  },
};
