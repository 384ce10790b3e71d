// What a page cannot do by itself: everything works without this file, too.

const localTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
let countdown;

/** Called for each page, and for each part of one that has been replaced. */
function enhance(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = time.textContent;
    time.textContent = localTime.format(new Date(time.dateTime));
  }
  for (const input of root.querySelectorAll("input[data-can-show]")) addShowButton(input);
  for (const box of root.querySelectorAll("[data-select-all]")) box.hidden = false;
  for (const text of root.querySelectorAll("[data-retry-after]")) countDown(text);
  for (const code of root.querySelectorAll("[data-proposal]")) addUseButton(code);
  const announced = [...root.querySelectorAll("[data-announce]")].map((text) => text.textContent.trim());
  if (announced.length) announce(announced.join(" "));
}

function announce(text) {
  document.getElementById("status").textContent = text;
}

function addShowButton(input) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Show";
  button.setAttribute("aria-label", "Show the password");
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const isShown = input.type === "text";
    input.type = isShown ? "password" : "text";
    button.textContent = isShown ? "Show" : "Hide";
    button.setAttribute("aria-pressed", String(!isShown));
  });
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

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  // The answer is another page than the one whose part was asked for: an error, or the login. It is shown as a whole.
  if (ctx.select && tasks[0]?.type === "main" && !tasks[0].fragment.childElementCount) {
    event.preventDefault();
    location.assign(ctx.request.method === "GET" ? ctx.response.raw.url : location.href);
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const target = typeof ctx.target === "string" ? document.querySelector(ctx.target) : ctx.target;
  const dialog = document.getElementById("dialog");
  if (target === dialog) {
    enhance(dialog);
    dialog.showModal();
    return;
  }
  enhance(document.getElementById(target?.id) ?? document.body);
  forgetWhatWasDone();
  if (target === document.body) placeFocus();
});

document.addEventListener("htmx:error", ({ detail }) => {
  if (detail.error?.name !== "AbortError") announce("The server cannot be reached. Try again.");
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") && event.target.closest("dialog")) {
    event.preventDefault();
    event.stopPropagation();
    event.target.closest("dialog").close();
  }
}, true);

document.addEventListener("change", ({ target }) => {
  const boxes = [...document.querySelectorAll("input[type=checkbox][name=username]")];
  const all = document.querySelector("[data-select-all]");
  if (target === all) for (const box of boxes) box.checked = all.checked;
  else if (boxes.includes(target)) {
    all.checked = boxes.every((box) => box.checked);
    all.indeterminate = !all.checked && boxes.some((box) => box.checked);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
  if (event.key === "/" && document.getElementById("search")) {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "?") {
    document.getElementById("keys").showModal();
  }
});

enhance(document.body);
forgetWhatWasDone();
