
// Learner credit, assignments and requests: the calls and bodies of the real portal.
const credit = `${service}/api/v1/policy-redemption`, creditRequests = `${service}/api/v1/learner-credit-requests/`;
const REDEMPTION_POLL_MS = 1000;
let courses = [], requested = [];

const customerCredit = () => `${credit}/enterprise-customer/${session.customer.uuid}`;

async function openCredit() {
  try {
    courses = await get(`/portal/catalog?customer=${session.customer.uuid}`);
    find("course").replaceChildren(...courseOptions(courses, (course) => course.title));
    await showCredit();
  } catch (error) {
    if (session) find("credit-note").textContent = sentence(error);
  }
}
async function showCredit() {
  const {customer, learner} = session, whose = `enterprise_customer_uuid=${customer.uuid}`;
  const email = encodeURIComponent(learner.email);
  const [policies, open] = await Promise.all([
    read(`${credit}/credits_available/?${whose}&lms_user_id=${learner.id}`),
    read(`${creditRequests}?${whose}&user__email=${email}&state=requested`),
  ]);
  requested = open.results;
  const ends = policies.filter((policy) => policy.active).map((policy) => day(policy.subsidy_expiration_date)).sort();
  find("credit-note").textContent = ends.length ? `Learner credit: available until ${ends[0]}.` : "You have no learner credit.";
  const asked = policies.flatMap((policy) => policy.learner_requests);
  const ofRequests = new Set(asked.map((request) => request.assignment));
  const assigned = policies.flatMap((policy) => policy.learner_content_assignments)
    .filter((one) => !ofRequests.has(one.uuid) && ASSIGNED[one.state]);
  find("credit").replaceChildren(...assigned.map(assignmentCard), ...asked.map(requestCard));
}
const ASSIGNED = {allocated: ["Assigned", "good"], cancelled: ["Cancelled", "bad"], expired: ["Expired", "bad"]};
function assignmentCard(one) {
  const key = one.is_assigned_course_run ? one.parent_content_key : one.content_key;
  return creditCard(one.content_title, key, `Enroll by ${day(one.earliest_possible_expiration.date)}.`, ASSIGNED[one.state]);
}
function requestCard(one) {
  const isApproved = one.state === "approved";
  const line = isApproved ? "Your request was approved. You can enroll." : "Your administrator has not decided yet.";
  return creditCard(one.course_title, one.course_id, line, isApproved ? ["Approved", "good"] : ["Requested", "wait"]);
}
function creditCard(title, key, line, [word, kind]) {
  const item = card(title || key, key, line);
  item.append(element("span", word, `tag ${kind}`), button("Open", title || key, () => openCourse(key), "quiet"));
  return item;
}

async function openCourse(key) {
  const course = courses.find((one) => one.key === key) || {key, title: titles[key] || key, catalogs: []};
  find("course").value = course.key;
  find("course-name").textContent = course.title;
  find("course-page").hidden = false;
  for (const part of ["course-price", "course-says"]) find(part).textContent = "";
  find("course-buttons").replaceChildren();
  if (!course.run_key) return;
  const [[offer], ask] = await Promise.all([
    read(`${customerCredit()}/can-redeem/?content_key=${encodeURIComponent(course.run_key)}`),
    read(`${customerCredit()}/can-request/?content_key=${encodeURIComponent(course.key)}`),
  ]);
  const price = offer.list_price && offer.list_price.usd;
  find("course-price").textContent = price === null || price === undefined ? "" : `Price: ${dollars(price)}.`;
  showOffer(course, offer, ask);
  find("course-name").focus();
}
function showOffer(course, offer, ask) {
  const policy = offer.redeemable_subsidy_access_policy, says = find("course-says"), buttons = find("course-buttons");
  const mine = [course.title, course.run_key];
  if (subscription && course.catalogs.includes(subscription.enterprise_catalog_uuid)) {
    says.textContent = "Your subscription covers this course.";
  } else if (offer.has_successful_redemption) {
    says.textContent = "Your organization has paid for this course, and you are enrolled.";
  } else if (policy) {
    says.textContent = "Your organization pays for this course.";
    buttons.append(button("Enroll", course.title, () => enroll(policy.policy_redemption_url, ...mine)));
  } else if (requested.some((one) => one.course_id === course.key)) {
    says.textContent = "Awaiting approval.";
  } else if (ask.can_request && ask.requestable_subsidy_access_policy) {
    says.textContent = "Your organization pays for this course when your request is approved.";
    buttons.append(button("Request enrollment", course.title, () => request(course, ask.requestable_subsidy_access_policy)));
  } else {
    says.textContent = offer.display_reason ? offer.display_reason.user_message : "Your organization does not pay for this course.";
  }
}
async function enroll(url, title, runKey) {
  say(`Enrolling you in ${title} …`);
  let redemption = await send(url, {lms_user_id: session.learner.id, content_key: runKey, metadata: {}});
  while (redemption.state === "pending") {
    await new Promise((resolve) => setTimeout(resolve, REDEMPTION_POLL_MS));
    redemption = await read(redemption.transaction_status_api_url);
  }
  const isDone = redemption.state === "committed";
  say(isDone ? `You were successfully enrolled in ${title}.` : "An error occurred while processing your enrollment. Try again.", isDone ? "good" : "bad");
  await readAgain();
}
async function request(course, policy) {
  const body = {course_id: course.key, course_price: course.price_cents, policy_uuid: policy.uuid};
  await send(creditRequests, {enterprise_customer_uuid: session.customer.uuid, ...body});
  say(`You asked for ${course.title}.`, "good");
  await readAgain();
}
async function readAgain() {
  await Promise.all([showCourses(), showCredit()]);
  if (!find("course-page").hidden) await openCourse(find("course").value);
}

find("find-course").addEventListener("submit", async (event) => {
  event.preventDefault();
  say("");
  try { await openCourse(find("course").value); } catch (error) { say(sentence(error), "bad"); }
});
