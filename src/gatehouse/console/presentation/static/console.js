// What a page cannot do by itself: everything works without this file, too.

const localTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const LONGEST_ANSWER = 20_000; // ms, as htmx waits (layout.html)
const sentAt = new WeakMap();
let countdown;

/** Called for each page, and for each part of one that has been replaced. */
function enhance(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = time.textContent;
    time.textContent = localTime.format(new Date(time.dateTime));
  }
  for (const input of root.querySelectorAll("input[data-can-show]")) addShowButton(input);
  for (const box of root.querySelectorAll("[data-select-all], [data-keys]")) box.hidden = false;
  for (const text of root.querySelectorAll("[data-retry-after]")) countDown(text);
  for (const code of root.querySelectorAll("[data-proposal]")) addUseButton(code);
  const announced = [...root.querySelectorAll("[data-announce]")].map((text) => text.textContent.trim());
  if (announced.length) announce(announced.join(" "));
}

/** A failure is shown, too: no page tells it. */
function announce(text, isFailure = false) {
  const status = document.getElementById("status");
  status.className = isFailure ? "failure" : "unseen";
  status.textContent = text;
}

function addShowButton(input) {
  const button = document.createElement("button");
  button.type = "button";
  const show = (isShown) => {
    input.type = isShown ? "text" : "password";
    button.textContent = isShown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} the password`);
  };
  show(false);
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers keep what is sent as plain text, to propose it again.
  input.form.addEventListener("submit", () => show(false));
  const row = document.createElement("div");
  row.className = "with-show";
  input.removeAttribute("data-can-show");
  input.replaceWith(row);
  row.append(input, button);
}

function addUseButton(code) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Use it";
  button.addEventListener("click", () => {
    document.getElementById("password").value = code.textContent;
    announce("The proposal is filled in.");
  });
  code.after(" ", button);
}

function countDown(text) {
  const ends = Date.now() + Number(text.dataset.retryAfter) * 1000;
  clearInterval(countdown);
  countdown = setInterval(() => {
    const seconds = Math.ceil((ends - Date.now()) / 1000);
    text.textContent = seconds > 0 ? `Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.` : "You may try again now.";
    if (seconds <= 0 || !text.isConnected) clearInterval(countdown);
  }, 1000);
}

/** A link that is passed on, and reloading, show the page and not what was done before it. */
function forgetWhatWasDone() {
  const url = new URL(location.href);
  if (!url.searchParams.has("done")) return;
  url.searchParams.delete("done");
  history.replaceState(history.state, "", url);
}

/** After a page has been replaced, the focus goes where it would be on a new page. */
function placeFocus() {
  if (document.activeElement && document.activeElement !== document.body) return;
  const target = document.querySelector("[autofocus]") ?? document.querySelector("#main h1");
  if (!target) return;
  if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.request.method !== "GET") return;
  // A clean address: without the filters that are not set.
  for (const name of [...new Set(ctx.request.body.keys())]) if (!ctx.request.body.get(name)) ctx.request.body.delete(name);
});

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  // The answer is another page than the one whose part was asked for: an error, or the login. It is shown as a whole.
  if (ctx.select && !ctx.text.includes(`id="${ctx.select.slice(1)}"`)) {
    Object.assign(ctx, { select: null, target: document.body, swap: "innerHTML show:top", push: "true" });
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const target = typeof ctx.target === "string" ? document.querySelector(ctx.target) : ctx.target;
  const dialog = document.getElementById("dialog");
  announce("");
  if (target === dialog) {
    enhance(dialog);
    dialog.showModal();
    return;
  }
  enhance(document.getElementById(target?.id) ?? document.body);
  forgetWhatWasDone();
  if (target === document.body) placeFocus();
});

document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
  if (error?.name === "AbortError") return;
  document.querySelector("dialog[open]")?.close();
  announce(
    ctx?.request.method === "POST"
      ? "No answer came. Load the page again to see whether it was done."
      : "The server cannot be reached. Try again.",
    true,
  );
});

/** A double click sends a form once. */
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (Date.now() - sentAt.get(event.target) < LONGEST_ANSWER) {
    event.preventDefault();
    event.stopImmediatePropagation();
  } else sentAt.set(event.target, Date.now());
}, true);
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => sentAt.delete(ctx.sourceElement));
addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => sentAt.delete(form)));

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") && event.target.closest("dialog")) {
    event.preventDefault();
    event.stopPropagation();
    event.target.closest("dialog").close();
  } else if (event.target.closest("[data-keys]")) showKeys();
}, true);

document.addEventListener("change", ({ target }) => {
  if (target.id === "keys-are-on") localStorage.setItem(KEYS, target.checked ? "on" : "off");
  const boxes = [...document.querySelectorAll("input[type=checkbox][name=username]")];
  const all = document.querySelector("[data-select-all]");
  if (target === all) for (const box of boxes) box.checked = all.checked;
  else if (boxes.includes(target)) {
    all.checked = boxes.every((box) => box.checked);
    all.indeterminate = !all.checked && boxes.some((box) => box.checked);
  }
});

// Keys of one character can be switched off: who speaks to a computer presses them unawares (WCAG 2.2, 2.1.4).
const KEYS = "console-keys";
const keysAreOn = () => localStorage.getItem(KEYS) !== "off";

function showKeys() {
  document.getElementById("keys-are-on").checked = keysAreOn();
  document.getElementById("keys").showModal();
}

document.addEventListener("keydown", (event) => {
  if (!keysAreOn() || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
  if (event.key === "/" && document.getElementById("search")) {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "?") {
    showKeys();
  }
});

enhance(document.body);
forgetWhatWasDone();
