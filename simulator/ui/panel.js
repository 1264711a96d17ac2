"use strict";
// Snapshot plus changes over server-sent events; every button is one POST, whose answer is the
// charge point as it is afterwards.

const ERRORS = ["NoError", "ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature",
  "InternalError", "LocalListConflict", "OtherError", "OverCurrentFailure", "PowerMeterFailure", "PowerSwitchFailure",
  "ReaderFailure", "ResetFailure", "UnderVoltage", "OverVoltage", "WeakSignal"];
const TONES = { Available: "", Preparing: "info", Charging: "good", SuspendedEVSE: "warn", SuspendedEV: "warn",
  Finishing: "info", Reserved: "info", Unavailable: "warn", Faulted: "bad" };
const stations = new Map(); // identity -> {data, card}
const list = document.getElementById("stations");
let total = 0;
let oddities = [];

const kw = (watts) => (watts >= 1000 ? `${(watts / 1000).toFixed(1)} kW` : `${watts} W`);
const put = (root, selector, text) => { const one = root.querySelector(selector); if (one.textContent !== text) one.textContent = text; };

function tone(element, name, text) {
  element.className = `pill ${element.classList.contains("link") ? "link" : "status"} ${name}`;
  element.textContent = text;
}

function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.hidden = true; }, 5000);
}

async function post(path, body) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const data = await answer.json();
    if (!answer.ok) { say(data.detail || answer.statusText); return; }
    show(data);
  } catch { say("The simulator does not answer."); }
}

function card(data) {
  const root = document.getElementById("station").content.firstElementChild.cloneNode(true);
  const path = `/api/stations/${encodeURIComponent(data.identity)}`;
  root.querySelector("h2").textContent = data.identity;
  root.querySelector("h2").title = data.url;
  root.querySelector("[data-do=network]").onclick = () => post(`${path}/network`, { online: !stations.get(data.identity).data.network });
  root.querySelector("[data-do=reset]").onclick = () => post(`${path}/reset`, { type: "Hard" });
  root.querySelector("[data-do=power]").onclick = () => post(`${path}/reset`, { type: "PowerLoss" });
  const choice = root.querySelector(".oddities select");
  for (const family of new Set(oddities.map((one) => one.family))) {
    const group = document.createElement("optgroup");
    group.label = family;
    for (const one of oddities.filter((one) => one.family === family)) group.append(new Option(one.name));
    choice.append(group);
  }
  choice.onchange = () => describe(root, data.identity);
  root.querySelector(".oddities").hidden = oddities.length === 0;
  root.querySelector("[data-do=oddity]").onclick = () => {
    const on = !(stations.get(data.identity).data.oddities || []).includes(choice.value);
    post(`${path}/oddities`, { name: choice.value, on });
  };
  for (const one of data.connectors) root.querySelector(".connectors").append(connector(data.identity, `${path}/connectors/${one.connectorId}`, one.connectorId));
  return root;
}

function describe(root, identity) {
  const choice = root.querySelector(".oddities select");
  const one = oddities.find((one) => one.name === choice.value);
  if (!one) return;
  const numbers = Object.entries(one.parameters).map(([name, value]) => `${name} ${value}`).join(", ");
  put(root, ".does", `${one.does}${numbers ? ` (${numbers})` : ""}${one.who ? `; seen at ${one.who}` : ""}`);
  put(root, "[data-do=oddity]", (stations.get(identity)?.data.oddities || []).includes(one.name) ? "Switch off" : "Switch on");
}

function connector(identity, path, number) {
  const root = document.getElementById("connector").content.firstElementChild.cloneNode(true);
  const now = () => stations.get(identity).data.connectors.find((one) => one.connectorId === number);
  const charge = root.querySelector(".charge");
  const error = root.querySelector(".error");
  for (const code of ERRORS) error.add(new Option(code, code));
  root.dataset.connector = number;
  root.querySelector("h3").textContent = `Connector ${number}`;
  root.querySelector("[data-do=plug]").onclick = () => now().vehicle ? post(`${path}/unplug`, {}) : post(`${path}/plug`, { socPercent: Number(charge.value) });
  root.querySelector("[data-do=tag]").onclick = () => post(`${path}/tag`, { idTag: root.querySelector(".tag").value });
  root.querySelector("[data-do=error]").onclick = () => post(`${path}/error`, { errorCode: error.value });
  charge.oninput = () => put(root, ".percent", `${charge.value} %`);
  charge.onchange = () => { if (now().vehicle) post(`${path}/soc`, { socPercent: Number(charge.value) }); };
  return root;
}

function fill(root, one) {
  tone(root.querySelector(".status"), TONES[one.status] || "", one.errorCode === "NoError" ? one.status : `${one.status} · ${one.errorCode}`);
  put(root, ".power", kw(one.powerW));
  const full = one.maxW || 1;
  root.querySelector(".flow").style.width = `${Math.min(100, (100 * one.powerW) / full)}%`;
  const offered = one.unit === "W" ? one.offer : (one.offer * full) / one.ratingA;
  root.querySelector(".cap").style.left = `calc(${Math.min(100, (100 * offered) / full)}% - 2px)`;
  put(root, ".limit", one.limit === null ? "none" : one.unit === "W" ? kw(one.limit) : `${one.limit} A`);
  const phases = one.phases > 1 ? `${one.phases} × ` : "";
  put(root, ".current", one.powerW > 0 ? `${phases}${one.currentA} A · ${one.voltageV} V` : "–");
  const warm = one.batteryC === null || one.batteryC === undefined ? "" : ` · ${one.batteryC} °C`;
  put(root, ".soc", one.socPercent === null ? "no vehicle" : `${one.socPercent} %${warm}`);
  put(root, ".temperature", one.temperatureC === undefined || one.temperatureC === null ? "–" : `${one.temperatureC} °C`);
  put(root, ".register", `${(one.registerWh / 1000).toFixed(3)} kWh`);
  put(root, ".transaction", one.idTag === null ? "–" : `${one.transactionId ?? "…"} · ${one.idTag}`);
  put(root, "[data-do=plug]", one.vehicle ? "Unplug" : "Plug in");
  const charge = root.querySelector(".charge");
  if (one.socPercent !== null && document.activeElement !== charge) {
    charge.value = one.socPercent;
    put(root, ".percent", `${charge.value} %`);
  }
}

function show(data) {
  let known = stations.get(data.identity);
  if (!known) {
    known = { data, card: card(data) };
    stations.set(data.identity, known);
    list.append(known.card);
  }
  known.data = data;
  tone(known.card.querySelector(".link"), data.online ? (data.registration === "Accepted" ? "good" : "warn") : "bad",
    data.online ? data.registration || "connecting" : data.network ? "reconnecting" : "cable pulled");
  put(known.card, ".queue", data.waitingMessages ? `${data.waitingMessages} waiting` : "");
  put(known.card, "[data-do=network]", data.network ? "Pull network cable" : "Plug network cable");
  describe(known.card, data.identity);
  put(known.card, ".odd", (data.oddities || []).join(", "));
  for (const one of data.connectors) fill(known.card.querySelector(`[data-connector="${one.connectorId}"]`), one);
  summary();
}

function summary() {
  const all = [...stations.values()].map((one) => one.data);
  const power = all.flatMap((one) => one.connectors).reduce((sum, one) => sum + one.powerW, 0);
  const charging = all.flatMap((one) => one.connectors).filter((one) => one.powerW > 0).length;
  const more = total > all.length ? ` (of ${total}, search for the others)` : "";
  put(document, "#summary", `${all.filter((one) => one.online).length} of ${all.length} online${more}, ${charging} charging, ${kw(power)}`);
  document.getElementById("empty").hidden = all.length > 0;
}

let live;
function listen() {
  if (live) live.close();
  live = new EventSource(`/api/live?q=${encodeURIComponent(document.getElementById("search").value)}`);
  live.addEventListener("stations", (event) => {
    const page = JSON.parse(event.data);
    total = page.total;
    stations.clear();
    list.replaceChildren();
    page.items.forEach(show);
    summary();
  });
  live.addEventListener("changes", (event) => JSON.parse(event.data).items.forEach(show));
  live.onerror = () => put(document, "#summary", "connection lost, trying again…");
}

document.getElementById("search").oninput = () => { clearTimeout(listen.timer); listen.timer = setTimeout(listen, 300); };
fetch("/api/oddities").then((answer) => (answer.ok ? answer.json() : { items: [] })).then((page) => { oddities = page.items; }).catch(() => {}).finally(listen);
