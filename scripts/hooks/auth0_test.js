// Plays Auth0 to the sample `auth0.js` and mirrorwatch to it: node --test scripts/hooks/
const assert = require("node:assert");
const crypto = require("node:crypto");
const http = require("node:http");
const test = require("node:test");

const { onExecutePreUserRegistration } = require("./auth0.js");

const SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

// Answers `status` and `answer` once; what the Action did, and what it sent.
async function played(status, answer, { user = {}, ip = "198.51.100.7", secrets = {} } = {}) {
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
    secrets: { MIRRORWATCH_URL: process.env.MIRRORWATCH_URL || `http://127.0.0.1:${server.address().port}/`, MIRRORWATCH_SECRET: SECRET, ...secrets },
    user: { email: "Zor.Vani+1@gmail.com", username: "zorvani_dispatch2", name: "Zorvani", user_metadata: { bio: "News" }, ...user },
    request: { ip },
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

test("an outage stops everybody where it is set to", async () => {
  const { done } = await played(503, {}, { secrets: { MIRRORWATCH_FAIL_OPEN: "false" } });
  assert.equal(done[0][0], "deny");
  assert.deepEqual((await played(200, { action: "flag" }, { secrets: { MIRRORWATCH_FAIL_OPEN: "false" } })).done[0][0], "metadata");
});

test("tokens are those of mirrorwatch's own hooks", async () => {
  // As the tests of src/serve/hooks/profile.rs have them.
  const tokens = async (user, ip) => JSON.parse((await played(200, { action: "allow" }, { user, ip })).sent.body).data.tokens;
  for (const email of ["Bad.Actor+1@Gmail.com", " badactor@googlemail.com ", "b.adactor@gmail.com"]) {
    assert.equal((await tokens({ email }, "")).email, "badactor@gmail.com");
  }
  assert.equal((await tokens({ email: '"a@b".c+d@example.org' }, "")).email, '"a@b".c@example.org');
  for (const email of ["nobody", "+tag@example.org", undefined]) assert.equal((await tokens({ email }, "")).email, undefined);
  for (const phone_number of ["+92 300 1234567", "0092-300-1234567"]) {
    assert.equal((await tokens({ phone_number }, "")).phone, "923001234567");
  }
  assert.equal((await tokens({ phone_number: "12345" }, "")).phone, undefined);
  for (const [ip, prefix] of [
    ["198.51.100.77", "198.51.100.0/24"], ["::ffff:198.51.100.77", "198.51.100.0/24"], ["2001:db8:7:1::9", "2001:db8:7::/48"],
    ["2001:DB8::", "2001:db8:0::/48"], ["100.128.0.1", "100.128.0.0/24"],
  ]) {
    assert.equal((await tokens({}, ip)).ip_prefix, prefix);
  }
  for (const ip of ["127.0.0.1", "10.1.2.3", "100.64.0.1", "169.254.1.1", "192.168.1.1", "172.31.0.1", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fd00::1", "fe80::1", "what", "1.2.3"]) {
    assert.equal((await tokens({}, ip)).ip_prefix, undefined, ip);
  }
});

test("what is too long is cut, and screened", async () => {
  const long = "\u0430b".repeat(100_000);
  const user = { username: long, name: long, user_metadata: { bio: `\0${long}` } };
  const { data } = JSON.parse((await played(200, { action: "allow" }, { user })).sent.body);
  for (const [text, most] of [[data.handle, 1024], [data.display_name, 1024], [data.bio, 65536]]) {
    assert.ok(Buffer.byteLength(text) <= most && text.length > most / 2);
    assert.ok(text.startsWith("\u0430b") && !/\uFFFD|\0/.test(text));
  }
});
