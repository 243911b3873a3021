// What a reader answered, kept in the reader's own browser. Nothing here makes a request.

const PREFIX = "convnets-measured/";
const memory = new Map();  // where the browser forbids storage: until the page is left
let storage = null;
try {
  localStorage.setItem(`${PREFIX}test`, "1");
  localStorage.removeItem(`${PREFIX}test`);
  storage = localStorage;
} catch {
  storage = null;
}

/** Whether what is kept outlives the page. */
export const lasting = storage !== null;

/** What was kept under a key, or null. */
export function read(key) {
  try {
    return JSON.parse(memory.get(key) ?? storage?.getItem(PREFIX + key) ?? "null");
  } catch {
    return null;
  }
}

export function keep(key, value) {
  const text = JSON.stringify(value);
  try {
    if (!storage) throw new Error("no storage");
    storage.setItem(PREFIX + key, text);
  } catch {
    memory.set(key, text);
  }
}

/** Delete all keys that begin so. */
export function forget(start) {
  for (const key of [...memory.keys()]) if (key.startsWith(start)) memory.delete(key);
  for (const key of storage ? Object.keys(storage) : []) if (key.startsWith(PREFIX + start)) storage.removeItem(key);
}

/** Said once beside a form whose answer will not outlive the page. */
export const warning = lasting ? "" : " This browser lets no page keep anything, so it lasts until you leave this one.";

/** An element with attributes and children; a text is a child, too. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
