// What the console does beyond plain pages: rows while one types, and keys. Every page works without it.
"use strict";

// Search: the rows of what is typed, once typing pauses.
const ask = document.querySelector("form[data-rows]");
if (ask) {
  const field = ask.elements.handle;
  const rows = document.getElementById("rows");
  let shown = field.value.trim();
  let pause = 0;
  let asking = null;

  const look = async () => {
    const handle = field.value.trim();
    if (handle === shown) return;
    shown = handle;
    asking?.abort();
    asking = new AbortController();
    const query = new URLSearchParams({ handle });
    history.replaceState(null, "", `${ask.action}?${query}`);
    query.set("part", "rows");
    try {
      const answer = await fetch(`${ask.dataset.rows}?${query}`, { signal: asking.signal });
      // Logged out meanwhile: the whole page says so.
      if (answer.redirected) location.reload();
      else if (answer.ok) rows.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") shown = null;
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(look, 160);
  });
  field.setSelectionRange(field.value.length, field.value.length);
}

// Keys: what carries data-key is pressed by it; `/` finds; j and k go through a list.
const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));

const move = (step) => {
  const rows = [...document.querySelectorAll("a.whole")];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && isTyping(event.target)) {
    event.target.blur();
    return;
  }
  if (isTyping(event.target)) return;
  if (event.key === "/") {
    const field = document.querySelector("#handle, #find");
    if (!field) return;
    field.focus();
    field.select();
  } else if (event.key === "j") {
    move(1);
  } else if (event.key === "k") {
    move(-1);
  } else {
    const pressed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!pressed || event.repeat) return;
    pressed.click();
  }
  event.preventDefault();
});

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
