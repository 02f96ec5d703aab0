"use strict";

/* Run pages work without this script. With it they renew themselves in place, without holding a connection:
   the same address is asked for again, and what differs is put in. */
(() => {
  const SLOWEST = 60; // seconds between two tries while the server does not answer
  const TIMEOUT = 15_000; // milliseconds for one answer
  const AT_THE_END = 120; // pixels from the page's end that still count as reading the newest lines

  const main = document.getElementById("main");
  const stale = document.getElementById("stale");
  const news = document.getElementById("news");

  /* As the server sent them: the ones in the document change under the reader's hands. */
  let sent = parts(main);
  let tag = "";
  let failures = 0;
  let timer = 0;
  let underWay = false;

  function parts(of) {
    return new Map([...of.children].map((part) => [part.id, part.outerHTML]));
  }

  function seconds() {
    const every = Number(main.dataset.refresh);
    return failures ? Math.min(SLOWEST, every * 2 ** failures) : every;
  }

  function plan() {
    clearTimeout(timer);
    if (main.dataset.refresh && !document.hidden) timer = setTimeout(renew, seconds() * 1000);
  }

  async function renew() {
    if (underWay || !main.dataset.refresh) return;
    underWay = true;
    try {
      const answer = await fetch(location.href.split("#")[0], {
        headers: tag ? { "If-None-Match": tag } : {},
        cache: "no-store",
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      if (answer.status === 200 && !answer.redirected) {
        const text = await answer.text();
        if (show(new DOMParser().parseFromString(text, "text/html"))) tag = answer.headers.get("ETag") ?? "";
        failures = 0;
      } else if (answer.status === 304) {
        failures = 0;
      } else {
        await answer.body?.cancel(); // unread, it would keep its connection
        if (answer.status === 404 || answer.redirected) delete main.dataset.refresh; // gone, or no longer for us
        else failures += 1;
      }
    } catch {
      failures += 1;
    }
    underWay = false;
    stale.hidden = failures < 2;
    plan();
  }

  /* Put in what differs; false while that would disturb the reader. */
  function show(page) {
    const fresh = page.getElementById("main");
    if (!fresh) return false;
    const busy = document.activeElement?.matches("input, select") && main.contains(document.activeElement);
    const selection = getSelection();
    const selected = !selection.isCollapsed && main.contains(selection.anchorNode);
    if (busy || selected) return false;

    const following = "live" in main.dataset && atTheEnd();
    const now = parts(fresh);
    const before = main.dataset.state;
    const focused = describe(document.activeElement);
    const place = inView();
    replace([...fresh.children], now);
    sent = now;
    for (const name of ["refresh", "state", "live"]) {
      if (name in fresh.dataset) main.dataset[name] = fresh.dataset[name];
      else delete main.dataset[name];
    }
    document.title = page.title;
    if (before !== main.dataset.state) news.textContent = page.title;
    dress(main);
    if (focused && document.activeElement === document.body) find(focused)?.focus({ preventScroll: true });
    if (following) toTheEnd();
    else backTo(place);
    return true;
  }

  /* Only what differs is touched: what somebody typed or opened elsewhere stays as it is. */
  function replace(fresh, now) {
    for (const part of [...main.children]) if (!now.has(part.id)) part.remove();
    let place = main.firstElementChild;
    for (let part of fresh) {
      const old = document.getElementById(part.id);
      if (old && now.get(part.id) === sent.get(part.id)) part = old;
      else if (old) {
        put(part, old);
        if (place === old) place = part;
      }
      if (part === place) place = place.nextElementSibling;
      else main.insertBefore(part, place);
    }
  }

  function put(part, old) {
    const inner = [part, ...part.querySelectorAll("details[id]")].filter((one) => one.matches("details[id]"));
    for (const one of inner) keepOpen(one, document.getElementById(one.id));
    const scrolled = [...old.querySelectorAll("pre.message, .wide")].map((one) => [one.scrollTop, one.scrollLeft]);
    old.replaceWith(part);
    [...part.querySelectorAll("pre.message, .wide")].forEach((one, at) => {
      if (scrolled[at]) [one.scrollTop, one.scrollLeft] = scrolled[at];
    });
  }

  /* What a reader opened stays open, and what a reader closed stays closed. */
  function keepOpen(fresh, old) {
    if (!old) return;
    if (old.open) fresh.open = true;
    else if (old.dataset.open) fresh.open = false;
  }

  /* Where the focus is, so that it can be found again in new content: by id, by address, or as a summary. */
  function describe(element) {
    if (!element || !main.contains(element)) return null;
    const step = element.closest("[id]")?.id ?? "";
    return { id: element.id, step, href: element.getAttribute("href"), tagName: element.tagName };
  }

  function find({ id, step, href, tagName }) {
    if (id) return document.getElementById(id);
    const near = step ? document.getElementById(step) : main;
    return [...(near ?? main).querySelectorAll(tagName)].find((one) => one.getAttribute("href") === href);
  }

  /* The first thing before a reader's eyes that can be found again, and how far down the screen it is. */
  function inView() {
    const top = (one) => one.getBoundingClientRect().top;
    const first = scrollY && [...main.querySelectorAll("[id], a[href]")].find((one) => top(one) >= 0 && one.checkVisibility());
    return first && top(first) < innerHeight ? { what: describe(first), top: top(first) } : null;
  }

  function backTo(place) {
    const there = place && find(place.what);
    if (there) scrollBy(0, there.getBoundingClientRect().top - place.top);
  }

  function atTheEnd() {
    return innerHeight + scrollY >= document.documentElement.scrollHeight - AT_THE_END;
  }

  function toTheEnd() {
    scrollTo({ top: document.documentElement.scrollHeight });
  }

  /* What only a script can do: times in the reader's own zone, and a button that copies a command. */
  function dress(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      time.title = new Date(time.dateTime).toLocaleString();
      time.dataset.local = "";
    }
    if (!navigator.clipboard) return;
    for (const pre of root.querySelectorAll("pre.command:not([data-copy])")) {
      pre.dataset.copy = "";
      const around = document.createElement("div");
      around.className = "copyable";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(pre.textContent);
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 2000);
      });
      pre.replaceWith(around);
      around.append(pre, button);
    }
  }

  /* An address may name a step that is folded, or a line that another part of the log holds. */
  function follow() {
    const id = location.hash.slice(1);
    const target = document.getElementById(id);
    if (target?.matches("details")) {
      target.open = true;
      target.scrollIntoView();
    }
    const line = /^L([0-9]{1,9})$/.exec(id);
    const address = new URL(location.href);
    if (line && !target && "log" in main.dataset && !address.searchParams.has("from")) {
      address.searchParams.set("from", Math.max(1, line[1] - 20));
      location.replace(address);
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : renew()));
  addEventListener("hashchange", follow);
  dress(main);
  follow();
  if ("live" in main.dataset && !location.hash) toTheEnd();
  plan();
})();
