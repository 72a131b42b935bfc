// Return what of the page's text runs out of a box that does not scroll, or is broken within an ordinary word.
() => {
  const found = [];
  const said = (element) => `${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className}`;
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} wide`);

  // What a box cuts off runs over nothing, but the box itself may.
  function overrun(element, right) {
    for (let box = element; box && box !== document.body; box = box.parentElement) {
      const { display, overflowX, position } = getComputedStyle(box);
      const end = box.getBoundingClientRect().right;
      if (["auto", "scroll"].includes(overflowX) || position === "fixed") return null;
      if (overflowX !== "visible") right = Math.min(right, end);
      else if (!["inline", "contents"].includes(display) && end < right - 1) return box;
      if (position === "absolute") return null;
    }
    return null;
  }

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.data;
    if (!text.trim() || !node.parentElement.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (node.parentElement.closest("svg, script, style, select, .material-symbols-outlined")) continue;
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()];
    if (!boxes.length) continue;
    const box = overrun(node.parentElement, Math.max(...boxes.map((each) => each.right)));
    if (box) found.push(`“${text.trim().slice(0, 40)}” runs out of ${said(box)}`);
    if (node.parentElement.closest("code, pre, .neph-id")) continue;
    for (const word of text.matchAll(/(?<![^\s(“])\p{L}{2,20}(?=[.,;:!?)”]*(?:\s|$))/gu)) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((each) => Math.round(each.top)));
      if (lines.size > 1) found.push(`“${word[0]}” is broken in ${said(node.parentElement)}`);
    }
  }
  return [...new Set(found)];
}
