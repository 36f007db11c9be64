const intentions = `${service}/api/v1/default-enterprise-enrollment-intentions`;
const POLL_EVERY_MS = 1000, POLL_TIMES = 12;
let titles = {}, session = null, subscription = null, polling = 0, shownCourses = "", shownStatus = "";

async function loadLearners() {
  const [everybody, names] = await Promise.all([get("/portal/learners"), get("/portal/titles")]);
  titles = names;
  const select = find("learner");
  select.replaceChildren();
  for (const {customer, learners} of everybody) {
    if (!learners.length) continue;
    const group = document.createElement("optgroup");
    group.label = customer.is_active ? (customer.has_learner_portal ? customer.name : `${customer.name} (does not use the portal)`) : `${customer.name} (switched off)`;
    for (const learner of learners) {
      const option = element("option", `${learner.name} (${learner.username})`);
      option.value = `${learner.username}@${customer.slug}`;
      option.dataset.note = learner.note;
      group.append(option);
    }
    select.append(group);
  }
  showNote();
}
function showNote() {
  const chosen = find("learner").selectedOptions[0];
  find("learner-note").textContent = chosen && chosen.dataset.note ? `Has: ${chosen.dataset.note}.` : "";
}

async function showCourses() {
  if (!session) return;
  const rows = await get(`/portal/courses?username=${encodeURIComponent(session.learner.username)}`);
  if (shownCourses === JSON.stringify(rows)) return;
  shownCourses = JSON.stringify(rows);
  find("no-courses").hidden = rows.length > 0;
  find("courses").replaceChildren(...rows.map((row) => {
    const item = card(row.title, row.course_run_key);
    item.append(element("span", row.is_active ? `Enrolled, ${row.mode}` : "Left", `tag ${row.is_active ? "good" : "wait"}`));
    if (row.is_active) {
      const button = element("button", "Leave", "quiet");
      button.type = "button";
      button.setAttribute("aria-label", `Leave ${row.title}`);
      button.addEventListener("click", () => leave(row));
      item.append(button);
    }
    return item;
  }));
}
async function leave(row) {
  try {
    await post("/portal/leave", {username: session.learner.username, course_run_key: row.course_run_key});
    say(`You left ${row.title}.`, "good");
  } catch (error) {
    say("Leaving did not work. Try again.", "bad");
  }
  await watch();
}

async function showStatus() {
  const url = `${intentions}/learner-status/?enterprise_customer_uuid=${session.customer.uuid}`;
  renderStatus(await read(url));
}
function renderStatus(answer) {
  if (shownStatus === JSON.stringify(answer)) return;
  shownStatus = JSON.stringify(answer);
  const {needs_enrollment: needs, already_enrolled: already} = answer.enrollment_statuses;
  const items = [...already, ...needs.enrollable, ...needs.not_enrollable];
  const standing = (state) => items.filter((item) => item.state === state);
  const groups = [
    ["Enrolled", "good", standing("enrolled")], ["Waiting to be enrolled", "wait", standing("pending")],
    ["Not enrolled", "bad", standing("blocked")],
  ];
  const shown = groups.filter(([, , rows]) => rows.length);
  find("status").replaceChildren(...shown.flatMap(([title, kind, rows]) => {
    const list = element("ul", "", "cards");
    list.append(...rows.map((it) => statusCard(it, title, kind)));
    return [element("h3", title), list];
  }));
  find("status-note").textContent = shown.length ? "" : "Your organization has chosen none.";
}
function statusCard(item, bucket, kind) {
  const node = card(titles[item.course_key] || item.course_key || item.content_key, item.course_run_key || item.content_key, item.message);
  node.append(element("span", bucket, `tag ${kind}`));
  return node;
}

// As the real portal does it: the page with all that it needs in one answer.
const loadPage = (name) => send(
  `${service}/api/v1/bffs/learner/${name}/`, {enterprise_customer_slug: `${session.customer.slug}/`},
);
const selectCustomer = (uuid) => get("/lms/enterprise/select/active/", {
  method: "POST", headers: {Authorization: `JWT ${session.token}`}, body: new URLSearchParams({enterprise: uuid}),
});
function showPage(page) {
  const plan = page.enterprise_customer_user_subsidies.subscriptions.subscription_plan;
  subscription = plan;
  find("subscription").textContent = plan ? `Your subscription: ${plan.title}.` : "You have no subscription.";
  const problem = [...page.errors, ...page.warnings][0];
  if (problem) say(problem.user_message, page.errors.length ? "bad" : "");
  if (page.default_enterprise_enrollment_intentions) renderStatus(page.default_enterprise_enrollment_intentions);
}
async function openPage() {
  find("status-note").textContent = "Asking the service …";
  shownStatus = "";
  find("subscription").textContent = "";
  await showCourses();
  try {
    const page = await loadPage("dashboard");
    showPage(page);
    if (page.should_update_active_enterprise_customer_user) await selectCustomer(page.enterprise_customer.uuid);
  } catch (error) {
    const problems = (error.body && error.body.errors) || [];
    say(problems.length ? problems[0].user_message : sentence(error), "bad");
    if (!error.status) { find("status-note").textContent = "No answer."; return; }
  }
  await Promise.all([openCredit(), watch()]);
}
async function watch() {
  const mine = ++polling;
  for (let round = 0; round < POLL_TIMES && session && mine === polling; round += 1) {
    try {
      await showCourses();
      await showStatus();
    } catch (error) {
      if (mine !== polling || !session) return;
      find("status-note").textContent = sentence(error);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
  }
}
function show(isInside) {
  find("entrance").hidden = isInside;
  find("inside").hidden = !isInside;
  find("who").textContent = isInside ? `${session.learner.first_name} ${session.learner.last_name} at ${session.customer.name}` : "You are not signed in.";
}

find("learner").addEventListener("change", showNote);
find("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [username, customer] = find("learner").value.split("@");
  say("");
  try {
    session = await post("/portal/sign-in", {username, customer});
  } catch (error) {
    say("Signing in did not work. Load this page again.", "bad");
    return;
  }
  for (const part of ["status", "courses", "credit"]) find(part).replaceChildren();
  find("course-page").hidden = true;
  shownCourses = shownStatus = "";
  show(true);
  find("courses-title").tabIndex = -1;
  find("courses-title").focus();
  await openPage();
});
find("again").addEventListener("click", () => { say(""); openPage(); });
find("sign-out").addEventListener("click", () => {
  session = null;
  polling += 1;
  say("");
  show(false);
  find("learner").focus();
});
loadLearners().catch(() => say("The simulator does not answer. Is it running?", "bad"));
