// An Auth0 Action for the trigger "Pre User Registration": asks mirrorwatch before an account is made.
//
// Secrets of the Action: MIRRORWATCH_URL (https://mirrorwatch.example.org/hooks/auth0) and MIRRORWATCH_SECRET (whsec_...), the
// secret of a source with `platform = "standard"`. Auth0 runs it for database and passwordless connections, not for social ones.
// While mirrorwatch cannot answer, signups go on; with MIRRORWATCH_FAIL_OPEN set to "false" they are refused.
const crypto = require("crypto");
const net = require("net");

const TIMEOUT_MS = 3000;

// Tokens are made as mirrorwatch's own hooks make them (src/serve/hooks/profile.rs), or an account known from another source would
// not be found by them.

// One mailbox is one token, however it is written.
function mailbox(email) {
  const lower = (email || "").trim().toLowerCase();
  const at = lower.lastIndexOf("@");
  if (at < 0) return undefined;
  const domain = lower.slice(at + 1);
  const isGoogle = domain === "gmail.com" || domain === "googlemail.com";
  let name = lower.slice(0, at).split("+")[0];
  if (isGoogle) name = name.replaceAll(".", "");
  return name && domain ? `${name}@${isGoogle ? "gmail.com" : domain}` : undefined;
}

function digits(phone) {
  const all = (phone || "").replace(/[^0-9]/g, "").replace(/^(00)+/, "");
  return all.length >= 6 ? all : undefined;
}

// The network of an address, /24 or /48, unless it says nothing of the person.
function network(address) {
  const told = (address || "").trim().replace(/^::ffff:(?=\d+\.)/i, "");
  if (net.isIPv4(told)) {
    const [a, b, c] = told.split(".").map(Number);
    const isNobodys = a === 0 || a === 10 || a === 127 || a >= 240 || (a >= 224 && a < 240) || (a === 100 && b >= 64 && b < 128)
      || (a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168);
    return isNobodys ? undefined : `${a}.${b}.${c}.0/24`;
  }
  if (!net.isIPv6(told)) return undefined;
  const [head, tail] = told.split("%")[0].split("::");
  const groups = (text) => (text ? text.split(":") : []);
  const filled = told.includes("::")
    ? [...groups(head), ...Array(Math.max(0, 8 - groups(head).length - groups(tail).length)).fill("0"), ...groups(tail)]
    : groups(head);
  const [a, b, c, ...rest] = filled.map((group) => parseInt(group, 16));
  const isNobodys = (a & 0xfe00) === 0xfc00 || (a & 0xffc0) === 0xfe80 || (a & 0xff00) === 0xff00
    || (!a && !b && !c && rest.slice(0, -1).every((group) => !group) && rest.at(-1) < 2);
  return isNobodys ? undefined : `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}::/48`;
}

// Within mirrorwatch's limits, in bytes: a record past them is turned down, and its account would not be screened.
function cut(text, bytesMax) {
  if (typeof text !== "string") return undefined;
  const told = text.replaceAll("\0", "").slice(0, bytesMax);
  return Buffer.from(told).subarray(0, bytesMax).toString().replace(/\uFFFD$/, "");
}

function account(event) {
  const { user, request, connection } = event;
  const of = user.user_metadata || {};
  const handle = user.username || user.nickname || of.username;
  // What is undefined is left out of the JSON.
  const tokens = { email: mailbox(user.email), phone: digits(user.phone_number), ip_prefix: network(request && request.ip) };
  const unique = `${connection.name}\n${user.email || handle || user.phone_number}`;
  return {
    // There is no user id before registration: what makes the account unique is its connection and e-mail, hashed.
    id: "auth0:" + crypto.createHash("sha256").update(unique).digest("hex").slice(0, 32),
    platform: "auth0",
    handle: cut(handle, 1024),
    display_name: cut(user.name, 1024),
    bio: cut(of.bio, 65536),
    avatar: user.picture ? { url: user.picture } : undefined,
    tokens,
  };
}

exports.onExecutePreUserRegistration = async (event, api) => {
  const body = JSON.stringify({ type: "account.created", timestamp: new Date().toISOString(), data: account(event) });
  const id = "msg_" + crypto.randomUUID();
  const seconds = Math.floor(Date.now() / 1000).toString();
  const key = Buffer.from(event.secrets.MIRRORWATCH_SECRET.replace(/^whsec_/, ""), "base64");
  const signature = crypto.createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  try {
    const answer = await fetch(event.secrets.MIRRORWATCH_URL, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": `v1,${signature}`,
      },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok) throw new Error(`mirrorwatch answered ${answer.status}`);
    const { action } = await answer.json();
    if (action === "deny") {
      api.access.deny("mirrorwatch: like a banned account", "This account cannot be opened. Please contact support.");
    } else {
      api.user.setAppMetadata("mirrorwatch", action);
    }
  } catch (error) {
    console.log(`mirrorwatch did not answer: ${error.message}`);
    if (event.secrets.MIRRORWATCH_FAIL_OPEN === "false") {
      api.access.deny("mirrorwatch: no answer", "Accounts cannot be opened at the moment. Please try again later.");
    }
  }
};
