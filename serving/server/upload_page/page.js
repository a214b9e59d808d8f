import { dimensions, encoded, Invalid, reason, tooManyBytes } from "./reasons.js";

const AT_ONCE = 4;
const REFRESH_MILLISECONDS = 10_000;
const MODEL_MILLISECONDS = 5_000;
const PREDICTION_MILLISECONDS = 60_000;
const THUMBNAIL_PIXELS = 144;
const FIGURE_PIXELS = 640;

// From low to high; page.css draws the scale in the same colours.
const HEAT = [[120, 28, 109], [237, 105, 37], [252, 255, 164]];
const HEAT_OPACITY = 0.8;

const BY_STATUS = {
  404: "This version of the model is no longer served. Retry with the current one.",
  413: "This file is too large for the server. Export a smaller image and choose that.",
  429: "The server is busy. Wait a moment, then retry.",
  503: "The server is not ready. Wait a moment, then retry.",
  504: "The server took too long. Wait a moment, then retry.",
};
const UNREACHABLE = "The server does not respond. Check that it is running, then retry.";
const NO_MODEL =
  "No version of the model is ready. Wait until a version is shown above, then retry.";
const UNREADABLE =
  "The browser cannot read this file. If it was moved, choose it again; of a folder, choose the files.";
const UNLIKE =
  "Out of domain: this image does not resemble the training data; do not rely on the prediction. " +
  "Check that it is a frontal chest X-ray, upright and not inverted.";
const FOR_REVIEW =
  "For review: with so few errors as the model is allowed, this image can be given neither label. " +
  "Look at it yourself.";
const NOT_OURS =
  "The response of the server cannot be read. See the server's log.";
const NOT_SHOWN = "The browser cannot show this image, so there is no heat map.";

const find = (id) => document.getElementById(id);
const page = {
  choice: find("choice"),
  clear: find("clear"),
  drop: document.querySelector(".drop"),
  files: find("files"),
  legend: find("legend"),
  list: find("rows"),
  models: document.querySelector("#choice select"),
  progress: find("progress"),
  results: find("results"),
  retryAll: find("retry-all"),
  status: find("status"),
  summary: find("summary"),
  template: find("row"),
};

let models = [];
let limits;
let rows = [];
let waiting = [];
let active = 0;

/** A failure, described for the user. */
class Problem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

class Row {
  constructor(file) {
    this.file = file;
    this.element = page.template.content.firstElementChild.cloneNode(true);
    const name = file.name || "Pasted image";
    this.part(".name").textContent = name;
    this.part(".retry").ariaLabel = `Retry: ${name}`;
    this.part(".explain").ariaLabel = `Heat map: ${name}`;
    this.part(".retry").addEventListener("click", () => {
      this.element.focus();
      enqueue([this]);
    });
    this.part(".explain").addEventListener("click", () => this.toggleHeatMap());
  }

  part(selector) {
    return this.element.querySelector(selector);
  }

  get state() {
    return this.element.dataset.state;
  }

  /** Shows a state: waiting, predicting, predicted, invalid or failed. */
  show(state, message = "", details = "") {
    this.element.dataset.state = state;
    this.element.ariaBusy = state === "waiting" || state === "predicting";
    for (const name of [".prediction", ".label"]) this.part(name).hidden = state !== "predicted";
    this.part(".warning").hidden = true;
    this.element.toggleAttribute("data-doubtful", false);
    if (state !== "predicted") {
      for (const name of [".explain", "figure"]) this.part(name).hidden = true;
      this.part(".explain").ariaExpanded = "false";
    }
    this.part(".retry").hidden = state !== "failed";
    this.part(".details").textContent = details;
    this.say(message);
    summarize();
  }

  say(message) {
    this.part(".message").hidden = !message;
    this.part(".message").textContent = message;
  }

  async classify() {
    this.show("predicting", "Waiting for the prediction …");
    let drawing;
    try {
      await present();
      if (this.file.size <= limits.bytes) this.file = await encoded(this.file, limits, send);
      drawing = this.drawThumbnail();
      if (this.file.size > limits.bytes) this.showInvalid(tooManyBytes(limits));
      else await this.showPrediction(await predict(await base64(this.file)));
    } catch (problem) {
      if (problem instanceof Invalid) this.showInvalid(problem.message);
      else this.show("failed", problem instanceof Problem ? problem.message : NOT_OURS);
    }
    await drawing;
  }

  async drawThumbnail() {
    try {
      await drawPreview(this.part(".image canvas"), this.file, THUMBNAIL_PIXELS);
      this.part(".image svg").setAttribute("hidden", "");
    } catch {
      // It cannot be decoded: the placeholder stays.
    }
  }

  showInvalid(why, details = "") {
    this.show("invalid", `This file is invalid: ${why}.`, details);
  }

  async showPrediction({ prediction, milliseconds, model }) {
    this.model = model;
    const details = `${Math.round(milliseconds)} ms · version\u00a0${model.version}`;
    if (!prediction.valid) {
      this.showInvalid(await reason(this.file, limits), details);
      return;
    }
    this.part(".probability").value = prediction.probability;
    this.part(".probability").textContent = prediction.probability.toFixed(4);
    const bar = this.part(".bar");
    bar.style.setProperty("--probability", prediction.probability);
    bar.classList.toggle("marked", model.threshold !== null);
    if (model.threshold !== null) bar.style.setProperty("--threshold", model.threshold);
    this.label = this.part(".label").textContent = prediction.label;
    this.element.toggleAttribute("data-positive", prediction.label === model.labels.at(-1));
    this.part(".explain").hidden = !model.signatures.explain?.includes("heatmap");
    this.hasHeatMap = false;
    // Older models do not have these outputs.
    if (prediction.in_domain === false) this.doubt = "unlike";
    else this.doubt = prediction.triage === "REVIEW" ? "review" : null;
    this.show("predicted", "", details);
    if (!this.doubt) return;
    this.element.toggleAttribute("data-doubtful", true);
    this.part(".warning").hidden = false;
    this.part(".warning").textContent = this.doubt === "unlike" ? UNLIKE : FOR_REVIEW;
  }

  async toggleHeatMap() {
    const button = this.part(".explain");
    const figure = this.part("figure");
    if (button.ariaBusy === "true") return;
    const opens = figure.hidden;
    button.ariaBusy = "true";
    this.say("");
    try {
      if (opens && !this.hasHeatMap) await this.drawHeatMap();
      figure.hidden = !opens;
      button.ariaExpanded = String(opens);
    } catch (problem) {
      if (problem.status === 404) this.show("failed", problem.message);
      else this.say(problem instanceof Problem ? problem.message : NOT_OURS);
    }
    button.ariaBusy = "false";
  }

  async drawHeatMap() {
    const { heatmap } = await post(this.model, await base64(this.file), "explain");
    for (const canvas of this.element.querySelectorAll("figure canvas")) {
      await drawPreview(canvas, this.file, FIGURE_PIXELS).catch(() => {
        throw new Problem(NOT_SHOWN);
      });
    }
    drawHeat(this.part(".heat"), heatmap);
    this.hasHeatMap = true;
  }
}

function add(files) {
  const added = Array.from(files, (file) => new Row(file));
  if (!added.length) return;
  rows = [...added, ...rows];
  page.list.prepend(...added.map((row) => row.element));
  page.results.hidden = false;
  enqueue(added);
}

function enqueue(these) {
  waiting.push(...these);
  for (const row of these) row.show("waiting", "Waiting …");
  while (active < AT_ONCE && waiting.length) work();
}

async function work() {
  active += 1;
  while (waiting.length) await waiting.shift().classify();
  active -= 1;
}

/** Finds the version that is served now. */
async function present() {
  if (!chosen() && !(await refresh())) throw new Problem(UNREACHABLE);
  if (!chosen()) throw new Problem(NO_MODEL);
  return chosen();
}

/** Queries the present version, and once more where another has just taken its place. */
async function predict(content) {
  const model = await present();
  const start = performance.now();
  try {
    const prediction = await post(model, content);
    if (!isPrediction(prediction)) throw new Problem(NOT_OURS);
    return { prediction, milliseconds: performance.now() - start, model };
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    await refresh();
    if (!chosen() || chosen().version === model.version) throw problem;
    return predict(content);
  }
}

function isPrediction(prediction) {
  const { valid, probability, label } = prediction ?? {};
  if (valid === false) return true;
  return valid === true && probability >= 0 && probability <= 1 && typeof label === "string";
}

/** Queries one version, so that it is known whose prediction it is. */
async function post(model, content, signature = "serving_default") {
  const path = `v1/models/${encodeURIComponent(model.name)}/versions/${model.version}:predict`;
  const body = JSON.stringify({ signature_name: signature, instances: [{ b64: content }] });
  return read(await (await send(path, body, { "Content-Type": "application/json" })).text());
}

/** Sends something to the server; returns the response's content. */
async function send(path, body, headers) {
  let response;
  try {
    const signal = AbortSignal.timeout(PREDICTION_MILLISECONDS);
    response = await fetch(path, { method: "POST", headers, body, signal });
    if (response.ok) return await response.blob();
  } catch (error) {
    throw new Problem(error.name === "TimeoutError" ? BY_STATUS[504] : UNREACHABLE);
  }
  const { error } = await response.json().catch(() => ({}));
  throw new Problem(
    BY_STATUS[response.status] ?? `The server failed: ${error ?? response.status}`,
    response.status,
  );
}

function read(text) {
  try {
    return JSON.parse(text).predictions[0];
  } catch {
    throw new Problem(NOT_OURS);
  }
}

/** Fetches which models are served; returns whether the server responded. */
async function refresh() {
  try {
    const response = await fetch("page/model.json", {
      signal: AbortSignal.timeout(MODEL_MILLISECONDS),
    });
    if (!response.ok) throw new Error(response.statusText);
    ({ models, limits } = await response.json());
    showModel();
    return true;
  } catch {
    showStatus("The server does not respond.", true);
    return false;
  }
}

async function refreshForever() {
  await refresh();
  setTimeout(refreshForever, REFRESH_MILLISECONDS);
}

function chosen() {
  return models.find((model) => model.name === page.models.value) ?? models[0];
}

function showModel() {
  const names = models.map((model) => model.name);
  const options = Array.from(page.models.options, (option) => option.value);
  if (names.join("/") !== options.join("/")) {
    const before = page.models.value;
    page.models.replaceChildren(...names.map((name) => new Option(name)));
    if (names.includes(before)) page.models.value = before;
  }
  page.choice.hidden = names.length < 2;
  const model = chosen();
  if (!model) {
    showStatus("No version of the model is ready yet.", true);
    return;
  }
  showStatus(`${names.length < 2 ? `${model.name} · ` : ""}version\u00a0${model.version}`);
  page.legend.hidden = model.threshold === null;
  if (model.threshold === null) return;
  page.legend.textContent =
    `threshold ${Number(model.threshold.toFixed(4))}: ${model.labels.at(-1)} is predicted from ` +
    "this probability";
}

function showStatus(text, isProblem = false) {
  page.status.classList.toggle("problem", isProblem);
  if (page.status.textContent !== text) page.status.textContent = text; // it is read out
}

let isToSummarize = false;

/** Counts once for all that changes at the same time: a thousand files are a thousand changes. */
function summarize() {
  if (isToSummarize) return;
  isToSummarize = true;
  queueMicrotask(() => {
    isToSummarize = false;
    showSummary();
  });
}

function showSummary() {
  const counts = new Map();
  let done = 0;
  for (const row of rows) {
    // A prediction out of domain or for review is not counted under its label.
    const key = row.state !== "predicted" ? row.state : row.doubt ?? row.label;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    done += row.state !== "waiting" && row.state !== "predicting";
  }
  const failed = counts.get("failed") ?? 0;
  page.progress.hidden = done === rows.length;
  page.progress.max = rows.length;
  page.progress.value = done;
  page.retryAll.hidden = failed < 2 || done < rows.length;
  const files = rows.length === 1 ? "1 file" : `${rows.length} files`;
  if (done < rows.length) {
    page.summary.textContent = `${done} of ${files}`;
    return;
  }
  const names = {
    unlike: "out of domain",
    review: "for review",
    invalid: "invalid",
    failed: "failed",
  };
  const parts = [...counts].sort().map(([key, count]) => `${count} ${names[key] ?? key}`);
  page.summary.textContent = `${files}: ${parts.join(", ")}`;
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.onerror = () => reject(new Problem(UNREADABLE));
    reader.readAsDataURL(file);
  });
}

/** Draws an image within a square; throws if it cannot be decoded. */
async function drawPreview(canvas, file, side) {
  const [width, height] = (await dimensions(file)) ?? [];
  if (width * height > limits.pixels) throw new Problem(NOT_SHOWN);
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  canvas.hidden = false;
}

/** Draws values in [0, 1] over an image. */
function drawHeat(canvas, values) {
  const width = values[0].length;
  const pixels = new ImageData(width, values.length);
  values.flat().forEach((value, index) => {
    pixels.data.set([...heatColour(value), 255 * HEAT_OPACITY * value], 4 * index);
  });
  const heat = new OffscreenCanvas(width, values.length);
  heat.getContext("2d").putImageData(pixels, 0, 0);
  canvas.getContext("2d").drawImage(heat, 0, 0, canvas.width, canvas.height);
}

function heatColour(value) {
  const place = value * (HEAT.length - 1);
  const below = Math.min(Math.floor(place), HEAT.length - 2);
  const above = HEAT[below + 1];
  return HEAT[below].map((channel, i) => channel + (place - below) * (above[i] - channel));
}

page.files.addEventListener("change", () => {
  add(page.files.files);
  page.files.value = ""; // the same file can be chosen again
});

document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  page.drop.classList.add("over");
});

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) page.drop.classList.remove("over");
});

document.addEventListener("drop", (event) => {
  event.preventDefault();
  page.drop.classList.remove("over");
  add(event.dataTransfer.files);
});

document.addEventListener("paste", (event) => add(event.clipboardData.files));

page.models.addEventListener("change", showModel);

page.retryAll.addEventListener("click", () => {
  page.files.focus();
  enqueue(rows.filter((row) => row.state === "failed"));
});

page.clear.addEventListener("click", () => {
  rows = [];
  waiting = [];
  page.list.replaceChildren();
  page.results.hidden = true;
  page.files.focus();
});

refreshForever();
