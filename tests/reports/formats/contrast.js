// Every text in sight whose contrast with what is behind it is below WCAG AA, and every faint edge of a control.
(() => {
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const channel = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    if (!element.getClientRects().length || ["SCRIPT", "OPTION"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const says = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim());
    if ((says || ["INPUT", "SELECT"].includes(element.tagName)) && ratio(parse(style.color), behind(element)) < 4.5) {
      found.push(["text", element.outerHTML.slice(0, 80), style.color, behind(element)]);
    }
    const after = getComputedStyle(element, "::after");
    if (!["none", "normal"].includes(after.content) && ratio(parse(after.color), behind(element)) < 4.5) {
      found.push(["sign", element.outerHTML.slice(0, 80), after.color, behind(element)]);
    }
    if (element.matches("input, select, .reset") && ratio(parse(style.borderColor), behind(element.parentElement)) < 3) {
      found.push(["edge", element.outerHTML.slice(0, 80), style.borderColor]);
    }
  }
  return found;
})();
