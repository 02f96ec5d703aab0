/* What a machine can tell about how a page serves people who do not see it as drawn: a list of complaints. */
() => {
  const complaints = [];
  const complain = (what, element) =>
    complaints.push(`${what}: ${element.outerHTML.replace(/\s+/g, " ").slice(0, 160)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });

  /* The text that a screen reader would say, in the order in which it looks for one. */
  const nameOf = (element) => {
    const by = element.getAttribute("aria-labelledby");
    const told = by && by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const labels = element.labels ? [...element.labels].map((label) => label.textContent).join(" ") : "";
    return (told || element.getAttribute("aria-label") || labels || element.textContent).trim();
  };

  if (!document.documentElement.lang) complain("no language", document.documentElement);
  if (!document.title.trim()) complaints.push("no title");
  if (all("main").length !== 1) complaints.push("not one main part");

  const headings = all("h1, h2, h3, h4, h5, h6");
  if (headings.filter((one) => one.tagName === "H1").length !== 1) complaints.push("not one h1");
  let level = 0;
  for (const heading of headings) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) complain("leaves out a level", heading);
    if (!nameOf(heading)) complain("empty heading", heading);
    level = own;
  }

  for (const one of all("input:not([type=hidden]), select, textarea, button, a[href], summary, svg[role=img], section, nav"))
    if (one.matches("section") ? one.matches("[aria-label], [aria-labelledby]") && !nameOf(one) : !nameOf(one))
      complain("has no name", one);
  for (const one of all("input:not([type=hidden]), select, textarea"))
    if (!one.labels.length && !one.hasAttribute("aria-label")) complain("has no label", one);
  for (const one of all("svg:not([role=img])"))
    if (!one.closest("[aria-hidden=true]")) complain("neither hidden nor named", one);

  for (const table of all("table")) {
    if (!table.caption?.textContent.trim()) complain("has no caption", table);
    if (!table.querySelector("thead th")) complain("has no header", table);
  }
  for (const cell of all("th")) if (!["col", "row"].includes(cell.getAttribute("scope"))) complain("no scope", cell);

  const ids = all("[id]").map((one) => one.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) complaints.push(`twice: #${id}`);
  for (const link of all("a[href^='#']")) {
    const target = link.getAttribute("href").slice(1);
    if (!document.getElementById(target) && !document.getElementById(decodeURIComponent(target)))
      complain("leads nowhere", link);
  }
  if (!all("[aria-live=polite]").length) complaints.push("nothing is announced");

  /* Contrast: every text against what is painted behind it. */
  const colour = (text) => {
    const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
    return { red, green, blue, alpha };
  };
  const over = (upper, lower) => ({
    red: upper.red * upper.alpha + lower.red * (1 - upper.alpha),
    green: upper.green * upper.alpha + lower.green * (1 - upper.alpha),
    blue: upper.blue * upper.alpha + lower.blue * (1 - upper.alpha),
    alpha: 1,
  });
  const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(18, 18, 18)" : "rgb(255, 255, 255)";
  const ground = (element) =>
    element ? over(colour(getComputedStyle(element).backgroundColor), ground(element.parentElement)) : colour(canvas);
  const light = ({ red, green, blue }) => {
    const [r, g, b] = [red, green, blue].map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [brighter, darker] = [light(one), light(other)].sort((a, b) => b - a);
    return (brighter + 0.05) / (darker + 0.05);
  };
  const check = (element, style, what) => {
    const behind = ground(element);
    const found = contrast(over(colour(style.color), behind), behind);
    if (found < 4.5) complain(`${what} has a contrast of ${found.toFixed(2)}`, element);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || seen.has(element) || !isShown(element)) continue;
    seen.add(element);
    check(element, getComputedStyle(element), "text");
  }
  for (const one of all("input[placeholder]")) check(one, getComputedStyle(one, "::placeholder"), "placeholder");
  for (const one of all("[data-number]")) check(one, getComputedStyle(one, "::before"), "line number");
  for (const one of all("svg.icon, svg.bar"))
    if (isShown(one) && contrast(colour(getComputedStyle(one).color), ground(one)) < 3) complain("a faint picture", one);
  return complaints;
};
