"use strict";
const service = document.body.dataset.serviceUrl.replace(/\/$/, "");
const find = (id) => document.getElementById(id);

async function get(url, options) {
  const response = await fetch(url, options);
  const text = await response.text();
  let body = null;
  try { body = text ? JSON.parse(text) : null; } catch { /* not JSON: the status tells */ }
  if (!response.ok) throw Object.assign(new Error(), {status: response.status, body});
  return body;
}
const post = (url, body, headers = {}) => get(url, {
  method: "POST", headers: {"Content-Type": "application/json", ...headers}, body: JSON.stringify(body),
});
// The service is of another origin: the LMS's cookies say who asks, and each POST needs a CSRF token.
const read = (url) => get(url, {credentials: "include", headers: {"use-jwt-cookie": "true"}});
async function send(url, body, method = "POST") {
  const {csrfToken} = await get(`${service}/csrf/api/v1/token`, {credentials: "include"});
  return get(url, {
    method, credentials: "include", body: JSON.stringify(body),
    headers: {"Content-Type": "application/json", "use-jwt-cookie": "true", "x-csrftoken": csrfToken},
  });
}

function sentence(error) {
  const said = error.body && (error.body.detail || error.body.error);
  if (!error.status) return `The service at ${service} could not be reached. Is it running, and does it allow this page to call it?`;
  if (error.status === 401) return "The service did not accept your sign-in. Sign out and in again.";
  if (error.status === 403) return "The service says that you may not see this organization.";
  if (error.status === 404) return "The service does not know this address: it may be an older version.";
  if (error.status === 429) return "The service is busy. Try again in a minute.";
  if (error.status >= 500) return `The service has a problem of its own (${error.status}). Try again in a moment.`;
  return said ? `The service says: ${said}` : `The service refused (${error.status}).`;
}
function say(text, kind = "") {
  const box = find("message");
  box.hidden = !text;
  box.className = `message ${kind}`;
  box.textContent = text || "";
}
function element(tag, text, className) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (className) node.className = className;
  return node;
}
function card(title, key, line) {
  const item = element("li"), what = element("div", "", "what");
  what.append(element("strong", title));
  if (key) what.append(element("span", key, "key"));
  if (line) what.append(element("div", line));
  item.append(what);
  return item;
}
function button(text, about, act, className = "") {
  const node = element("button", text, className);
  node.type = "button";
  node.setAttribute("aria-label", `${text}: ${about}`);
  node.addEventListener("click", async () => {
    node.disabled = true;
    say("");
    try { await act(); } catch (error) { say(sentence(error), "bad"); }
    node.disabled = false;
  });
  return node;
}
const dollars = (amount) => amount.toLocaleString("en-US", {style: "currency", currency: "USD"});
const day = (instant) => (instant || "").slice(0, 10);
function courseOptions(courses, text) {
  const first = element("option", "Choose a course");
  first.value = "";
  return [first, ...courses.map((course) => Object.assign(element("option", text(course)), {value: course.key}))];
}
