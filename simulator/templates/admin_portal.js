
// Budgets, assignments and requests: the calls and bodies of the real admin portal.
const api = `${service}/api/v1`;
const ASSIGNED = "AssignedLearnerCreditAccessPolicy";
const WORDS = {notifying: "wait", waiting: "wait", requested: "wait", pending: "wait", approved: "good", accepted: "good"};
let session = null, courses = [];

async function loadAdmins() {
  const rows = await get("/portal/admins");
  find("admin").replaceChildren(...rows.map(({customer, username, name}) => {
    const option = element("option", `${name} (${customer.name})`);
    option.value = `${username}@${customer.slug}`;
    return option;
  }));
}
async function showBudgets() {
  const policies = await read(`${api}/subsidy-access-policies/?enterprise_customer_uuid=${session.customer.uuid}&active=true`);
  const sections = await Promise.all(policies.results.map(budgetSection));
  find("budgets").replaceChildren(...sections);
  if (policies.results.some((policy) => policy.bnr_enabled)) find("budgets").append(await settingsSection());
  if (!sections.length) find("budgets").append(element("section", "Your organization has no budgets."));
}
async function budgetSection(policy) {
  const section = element("section"), heading = element("h2", policy.display_name), id = `budget-${policy.uuid}`;
  heading.id = id;
  section.setAttribute("aria-labelledby", id);
  section.append(heading, moneyLine(policy.aggregates));
  if (policy.policy_type === ASSIGNED && policy.assignment_configuration) {
    section.append(assignForm(policy), ...part("Assigned courses", await assignmentCards(policy)));
  }
  if (policy.bnr_enabled) section.append(...part("Requests", await requestCards(policy)));
  section.append(...part("Spent", await spentCards(policy)));
  return section;
}
function moneyLine(sums) {
  const parts = [["Available", sums.spend_available_usd], ["Pending", sums.amount_allocated_usd], ["Spent", sums.amount_redeemed_usd]];
  return element("p", parts.map(([name, amount]) => `${name}: ${dollars(amount)}`).join(" · "));
}
function part(title, cards) {
  const list = element("ul", "", "cards");
  list.append(...cards);
  return [element("h3", title), cards.length ? list : element("p", "None yet.", "note")];
}
function tagged(item, word, kind = WORDS[word] || "bad") {
  item.append(element("span", word, `tag ${kind}`));
  return item;
}

function assignForm(policy) {
  const form = element("form"), select = element("select"), box = element("input"), assign = element("button", "Assign");
  for (const [field, name, text] of [[select, "course", "Course to assign"], [box, "emails", "Email addresses, separated by commas"]]) {
    const label = element("label", text);
    field.id = label.htmlFor = `${name}-${policy.uuid}`;
    field.required = true;
    form.append(label, field);
  }
  select.append(...courseOptions(courses, (course) => `${course.title} (${dollars(course.price_cents / 100)})`));
  const row = element("div", "", "row");
  row.append(assign);
  form.append(row);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    assign.disabled = true;
    try {
      await allocate(policy, courses.find((one) => one.key === select.value), box.value);
    } catch (error) {
      const [reason] = Array.isArray(error.body) ? error.body : [];
      say(reason ? `Not assigned: ${reason.user_message || reason.reason}` : sentence(error), "bad");
    }
    assign.disabled = false;
  });
  return form;
}
async function allocate(policy, course, emails) {
  const answer = await send(`${api}/policy-allocation/${policy.uuid}/allocate/`, {
    content_price_cents: (course.price_cents / 100) * 100, content_key: course.run_key, admin_lms_user_id: session.learner.id,
    learner_emails: emails.split(",").map((email) => email.trim()).filter(Boolean),
  });
  await showBudgets();
  const isNew = answer.created.length + answer.updated.length;
  say(`${isNew} assigned, ${answer.no_change.length} had this course already.`, "good");
}
async function assignmentCards(policy) {
  const query = "page=1&page_size=25&state__in=allocated,errored&ordering=-recent_action_time";
  const url = `${api}/assignment-configurations/${policy.assignment_configuration.uuid}/admin/assignments/`;
  const {results} = await read(`${url}?${query}`);
  return results.map((row) => {
    const line = `${row.content_title}, ${dollars(-row.content_quantity / 100)}. Enroll by ${day(row.earliest_possible_expiration.date)}.`;
    const item = tagged(card(row.learner_email || "Email hidden", "", line), row.learner_state || row.state);
    const about = `${row.content_title} for ${row.learner_email}`;
    const act = (verb, done) => async () => { await send(`${url}${verb}/`, {assignment_uuids: [row.uuid]}); await showBudgets(); say(done, "good"); };
    if (row.learner_state === "waiting") item.append(button("Remind", about, act("remind", "A reminder is on its way."), "quiet"));
    item.append(button("Cancel", about, act("cancel", "The assignment is cancelled."), "quiet"));
    return item;
  });
}
async function requestCards(policy) {
  const url = `${api}/learner-credit-requests/`, whose = {enterprise_customer_uuid: session.customer.uuid};
  const query = `enterprise_customer_uuid=${session.customer.uuid}&policy_uuid=${policy.uuid}&page=1&page_size=10`;
  const {results} = await read(`${url}?${query}&state=requested,approved,declined,cancelled,error`);
  return results.map((row) => {
    const item = tagged(card(row.email, "", `${row.course_title || row.course_id}, ${dollars((row.course_price || 0) / 100)}`), row.state);
    if (!["requested", "error"].includes(row.state)) return item;
    const about = `${row.course_title} for ${row.email}`;
    const approve = {learner_credit_request_uuids: [row.uuid], policy_uuid: policy.uuid, ...whose};
    const decline = {subsidy_request_uuid: row.uuid, send_notification: true, decline_reason: "", ...whose};
    const act = (verb, body, done) => async () => { await send(`${url}${verb}/`, body); await showBudgets(); say(done, "good"); };
    item.append(button("Approve", about, act("approve", approve, "The request is approved.")));
    item.append(button("Decline", about, act("decline", decline, "The request is declined."), "quiet"));
    return item;
  });
}
// The real portal has no such switch yet.
async function settingsSection() {
  const url = `${api}/customer-configurations/`, whose = {enterprise_customer_uuid: session.customer.uuid};
  const found = (await read(`${url}?enterprise_customer_uuid=${session.customer.uuid}`)).results[0];
  const isOn = Boolean(found && found.attempt_auto_enrollment);
  const section = element("section"), heading = element("h2", "Approvals");
  heading.id = "approvals";
  section.setAttribute("aria-labelledby", heading.id);
  section.append(heading, element("p", isOn
    ? "After an approval, learners are enrolled if exactly one course run is open and starts soon."
    : "After an approval, learners choose the course run and enroll."));
  const toggle = async () => {
    const body = {attempt_auto_enrollment: !isOn};
    if (found) await send(`${url}${session.customer.uuid}/`, body, "PATCH");
    else await send(url, {...whose, ...body});
    await showBudgets();
    say(isOn ? "Learners choose the course run from now on." : "Approvals enroll learners from now on.", "good");
  };
  section.append(button(isOn ? "Enroll no one" : "Enroll learners", "after an approval", toggle, "quiet"));
  return section;
}
// The real portal, too, asks enterprise-subsidy for these.
async function spentCards(policy) {
  const query = `state=committed&page=1&page_size=25&subsidy_access_policy_uuid=${policy.uuid}`;
  const url = `/subsidy/api/v2/subsidies/${policy.subsidy_uuid}/admin/transactions/?${query}`;
  const {results} = await get(url, {headers: {Authorization: `JWT ${session.token}`}});
  return results.map((row) => {
    const item = card(row.lms_user_email, "", `${row.content_title}, ${dollars(-row.quantity / 100)}`);
    return row.reversal ? tagged(item, `refunded on ${day(row.reversal.created)}`, "wait") : tagged(item, "spent", "good");
  });
}

function show(isInside) {
  find("entrance").hidden = isInside;
  find("inside").hidden = !isInside;
  find("who").textContent = isInside ? `${session.learner.first_name} ${session.learner.last_name}, administrator of ${session.customer.name}` : "You are not signed in.";
}
async function refresh() {
  try { await showBudgets(); } catch (error) { say(sentence(error), "bad"); }
}
find("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [username, customer] = find("admin").value.split("@");
  say("");
  try {
    session = await post("/portal/sign-in", {username, customer});
    courses = await get(`/portal/catalog?customer=${session.customer.uuid}`);
  } catch (error) {
    say("Signing in did not work. Load this page again.", "bad");
    return;
  }
  show(true);
  find("again").focus();
  await refresh();
});
find("again").addEventListener("click", () => { say(""); refresh(); });
find("sign-out").addEventListener("click", () => {
  session = null;
  say("");
  find("budgets").replaceChildren();
  show(false);
  find("admin").focus();
});
loadAdmins().catch(() => say("The simulator does not answer. Is it running?", "bad"));
