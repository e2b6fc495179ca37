// Plays Auth0 to the sample `auth0.js` and mirrorwatch to it: node --test scripts/hooks/
const assert = require("node:assert");
const crypto = require("node:crypto");
const http = require("node:http");
const test = require("node:test");

const { onExecutePreUserRegistration } = require("./auth0.js");

const SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

// Answers `status` and `answer` once; what the Action did, and what it sent.
async function played(status, answer) {
  let sent;
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      sent = { headers: request.headers, body };
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const done = [];
  const api = {
    access: { deny: (...words) => done.push(["deny", ...words]) },
    user: { setAppMetadata: (...words) => done.push(["metadata", ...words]) },
  };
  const event = {
    secrets: { MIRRORWATCH_URL: process.env.MIRRORWATCH_URL || `http://127.0.0.1:${server.address().port}/`, MIRRORWATCH_SECRET: SECRET },
    user: { email: "Zor.Vani+1@gmail.com", username: "zorvani_dispatch2", name: "Zorvani", user_metadata: { bio: "News" } },
    request: { ip: "198.51.100.7" },
    connection: { id: "c", name: "db", strategy: "auth0" },
  };
  await onExecutePreUserRegistration(event, api);
  server.close();
  return { done, sent };
}

test("the request is signed and says who wants in", async () => {
  const { sent } = await played(200, { action: "allow" });
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = sent.headers;
  const key = Buffer.from(SECRET.slice(6), "base64");
  assert.equal(signature, "v1," + crypto.createHmac("sha256", key).update(`${id}.${time}.${sent.body}`).digest("base64"));
  const { type, data } = JSON.parse(sent.body);
  assert.equal(type, "account.created");
  assert.match(data.id, /^auth0:[0-9a-f]{32}$/);
  assert.deepEqual({ ...data, id: "" }, {
    id: "", platform: "auth0", handle: "zorvani_dispatch2", display_name: "Zorvani", bio: "News",
    tokens: { email: "zorvani@gmail.com", ip_prefix: "198.51.100.0/24" },
  });
});

test("a mirror is refused, another let in", async () => {
  assert.equal((await played(200, { action: "deny" })).done[0][0], "deny");
  assert.deepEqual((await played(200, { action: "flag" })).done, [["metadata", "mirrorwatch", "flag"]]);
});

test("an outage stops nobody", async () => {
  assert.deepEqual((await played(503, {})).done, []);
});
