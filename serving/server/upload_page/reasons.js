/**
 * Why a file is invalid, in the words of `cxr predict`.
 *
 * The model returns only `valid`. The words are those of serving/images/decode_check.py and
 * reasons.py; a test compares both. The server names other formats by their first bytes.
 */

const HEAD_BYTES = 1024 * 1024;
const TAIL_BYTES = 32;
const FORMAT_MILLISECONDS = 5_000;

const IMAGES = [
  ["JPEG", "\xff\xd8\xff", "\xff\xd9"],
  ["PNG", "\x89PNG\r\n\x1a\n", "IEND\xaeB`\x82"],
  ["GIF", "GIF8", "\0;"],
  ["BMP", "BM", ""],
];

/** Returns why a file is invalid. */
export async function reason(file, limits) {
  if (!file.size) return "empty file";
  const head = await bytes(file.slice(0, HEAD_BYTES));
  const [format, , ending] = IMAGES.find(([, magic]) => holds(head, 0, magic)) ?? [];
  if (!format) return otherContent(head.subarray(0, limits.head));
  const isCut = ending
    ? !latin(await bytes(file.slice(-TAIL_BYTES))).includes(ending)
    : file.size > 5 && view(head).getUint32(2, true) > file.size;
  const damaged = `${isCut ? "truncated" : "damaged"} ${format}`;
  const [width, height] = READERS[format](head) ?? [];
  if (!width || !height) return damaged;
  if (Math.min(width, height) < limits.side) {
    return `too small: ${width}x${height} pixels, the least side is ${limits.side}`;
  }
  const pixels = width * height;
  if (pixels > limits.pixels) {
    const limit = (limits.pixels / 1e6).toFixed(0);
    return `too large: ${width}x${height} are ${millions(pixels)} million pixels, the limit is ${limit}`;
  }
  if (isCut) return damaged;
  if (format === "JPEG" && hasUnknownInks(head)) {
    return "CMYK JPEG without an Adobe marker: save it anew, as grey PNG";
  }
  if (!(await canBeShown(file))) return damaged;
  return `${format} that TensorFlow cannot decode: save it anew, as PNG`;
}

/** A file without an image; the message says why. */
export class Invalid extends Error {}

/**
 * Returns a file that browser and model decode: itself, or its image as the server encodes it.
 * Throws Invalid where it holds none.
 */
export async function encoded(file, limits, send) {
  const head = await bytes(file.slice(0, limits.head));
  if (!file.size || IMAGES.some(([, magic]) => holds(head, 0, magic))) return file;
  if (!(await described(head)).encoded) return file;
  const made = await send("page/encoded", file);
  if (made.type !== "image/png") throw new Invalid(JSON.parse(await made.text()).reason);
  return new File([made], file.name, { type: made.type });
}

/** Returns why a file is not sent. */
export function tooManyBytes(limits) {
  return `too large: a file of more than ${Math.floor(limits.bytes / 1024 ** 2)} MiB`;
}

/** Reads width and height from an image's header; null if there is none. */
export async function dimensions(file) {
  const head = await bytes(file.slice(0, HEAD_BYTES));
  const [format] = IMAGES.find(([, magic]) => holds(head, 0, magic)) ?? [];
  return format ? READERS[format](head) : null;
}

const READERS = {
  PNG: (head) =>
    head.length < 24 || !holds(head, 12, "IHDR")
      ? null
      : [view(head).getUint32(16), view(head).getUint32(20)],
  GIF: (head) =>
    head.length < 10 ? null : [view(head).getUint16(6, true), view(head).getUint16(8, true)],
  BMP: (head) => {
    if (head.length < 26) return null;
    const isOld = view(head).getUint32(14, true) === 12;
    if (isOld) return [view(head).getUint16(18, true), view(head).getUint16(20, true)];
    // A negative height counts its rows from the top.
    return [view(head).getInt32(18, true), Math.abs(view(head).getInt32(22, true))];
  },
  JPEG: (head) => {
    const at = jpegFrame(head);
    return at === null ? null : [view(head).getUint16(at + 7), view(head).getUint16(at + 5)];
  },
};

/** Finds where a JPEG's frame header begins. */
function jpegFrame(head) {
  for (let at = 2; at + 10 <= head.length && head[at] === 0xff; ) {
    const marker = head[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return at;
    at += marker === 0xff ? 1 : 2 + view(head).getUint16(at + 2);
  }
  return null;
}

/** Returns whether a JPEG has four inks without an Adobe marker, which says what 255 means. */
function hasUnknownInks(head) {
  const at = jpegFrame(head);
  return head[at + 9] === 4 && !new TextDecoder().decode(head.subarray(0, at)).includes("Adobe");
}

async function otherContent(head) {
  return (await described(head)).format ?? "unknown content";
}

async function described(head) {
  try {
    const response = await fetch("page/format", {
      method: "POST",
      body: head,
      signal: AbortSignal.timeout(FORMAT_MILLISECONDS),
    });
    if (response.ok) return await response.json();
  } catch {
    // What it is shows the prediction.
  }
  return {};
}

async function canBeShown(file) {
  try {
    (await createImageBitmap(file)).close();
    return true;
  } catch {
    return false;
  }
}

async function bytes(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}

function view(array) {
  return new DataView(array.buffer, array.byteOffset, array.byteLength);
}

function latin(array) {
  return String.fromCharCode(...array);
}

function holds(head, start, magic) {
  return latin(head.subarray(start, start + magic.length)) === magic;
}

function millions(pixels) {
  return (pixels / 1e6).toLocaleString("en", {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
}
