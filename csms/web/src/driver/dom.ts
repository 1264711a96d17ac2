type Child = Node | string | null | false | undefined
type Attributes = Record<string, string | number | boolean | null | undefined>

/** Makes an element; an attribute that is null or false is left out, one that is true is empty. */
export function h(name: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? '' : String(value))
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child)
  }
  return element
}

/**
 * Makes an element look like another one and changes only what differs: focus, what was typed, and what a
 * screen reader has read already stay.
 */
export function morph(present: Element, wanted: Element): void {
  for (const { name } of [...present.attributes]) {
    if (!wanted.hasAttribute(name)) present.removeAttribute(name)
  }
  for (const { name, value } of wanted.attributes) {
    if (present.getAttribute(name) !== value) present.setAttribute(name, value)
  }
  const kept = [...wanted.childNodes]
  kept.forEach((next, place) => {
    let current = present.childNodes[place]
    if (current && !alike(current, next)) {
      // one that comes later may have moved up, because something before it is gone
      const later = [...present.childNodes].slice(place + 1).find((each) => sameKey(each, next))
      if (later) {
        while (present.childNodes[place] !== later) present.childNodes[place]?.remove()
        current = later
      }
    }
    if (!current) present.append(next)
    else if (!alike(current, next)) present.insertBefore(next, current)
    else if (current instanceof Element && next instanceof Element) morph(current, next)
    else if (current.nodeValue !== next.nodeValue) current.nodeValue = next.nodeValue
  })
  while (present.childNodes.length > kept.length) present.lastChild?.remove()
}

function alike(one: Node, other: Node): boolean {
  return one.nodeName === other.nodeName && keyOf(one) === keyOf(other)
}

function sameKey(one: Node, other: Node): boolean {
  const key = keyOf(one)
  return key !== null && alike(one, other)
}

function keyOf(node: Node): string | null {
  return node instanceof Element ? node.getAttribute('data-key') : null
}
