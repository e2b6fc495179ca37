// An Auth0 Action for the trigger "Pre User Registration": asks mirrorwatch before an account is made.
//
// Secrets of the Action: MIRRORWATCH_URL (https://mirrorwatch.example.org/hooks/auth0) and MIRRORWATCH_SECRET (whsec_...), the
// secret of a source with `platform = "standard"`. Auth0 runs it for database and passwordless connections, not for social ones.
const crypto = require("crypto");

const TIMEOUT_MS = 3000;

// One mailbox is one token, however it is written, as in mirrorwatch's own hooks.
function mailbox(email) {
  const [local, domain] = (email || "").trim().toLowerCase().split("@");
  if (!local || !domain) return undefined;
  const name = local.split("+")[0];
  const isGoogle = domain === "gmail.com" || domain === "googlemail.com";
  return isGoogle ? `${name.replaceAll(".", "")}@gmail.com` : `${name}@${domain}`;
}

function account(event) {
  const { user, request, connection } = event;
  const of = user.user_metadata || {};
  const handle = user.username || user.nickname || of.username;
  const tokens = {};
  if (mailbox(user.email)) tokens.email = mailbox(user.email);
  if (user.phone_number) tokens.phone = user.phone_number.replace(/\D/g, "");
  const network = /^(\d+\.\d+\.\d+)\.\d+$/.exec((request && request.ip) || "");
  if (network) tokens.ip_prefix = `${network[1]}.0/24`;
  const unique = `${connection.name}\n${user.email || handle || user.phone_number}`;
  return {
    // There is no user id before registration: what makes the account unique is its connection and e-mail, hashed.
    id: "auth0:" + crypto.createHash("sha256").update(unique).digest("hex").slice(0, 32),
    platform: "auth0",
    handle,
    display_name: user.name,
    bio: of.bio,
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
    // Fails open: an outage of mirrorwatch must not stop signups.
    console.log(`mirrorwatch did not answer: ${error.message}`);
  }
};
