"""Matrix Synapse asks mirrorwatch about registrations and tells it of profile changes.

A Synapse module of one file: put it where Synapse's Python finds it (PYTHONPATH, or its site-packages) and name it in homeserver.yaml:

    modules:
      - module: synapse_mirrorwatch.Mirrorwatch
        config:
          url: "http://127.0.0.1:8787/hooks/synapse"
          secret_file: "/etc/matrix-synapse/mirrorwatch.secret"   # or secret: "..."
          timeout_seconds: 3      # how long a person who registers may wait for mirrorwatch; its own deadline_ms lies before it
          fail_open: true         # what becomes of them when it does not answer, or answers that it cannot tell

Who registers waits; who changes a profile does not: that is told in the background, and again while mirrorwatch is busy.
The source in mirrorwatch's settings has a `fail_open` too, which by itself answers "allow" when mirrorwatch is busy or late: to
refuse whoever was not screened, set both to false.
A denied registration gets Synapse's own answer (429 "Rate limited"), which says nothing of the reason on purpose.
"""

import logging
import uuid
from typing import Any, Collection, Dict, List, Optional, Tuple

from synapse.module_api import ModuleApi, make_deferred_yieldable, run_in_background
from synapse.module_api.errors import ConfigError
from synapse.spam_checker_api import RegistrationBehaviour
from twisted.internet import reactor

logger = logging.getLogger(__name__)

# Pauses before a profile change is told again, in seconds. After the last one it is given up: the next change tells the whole profile.
PAUSES = (2, 10, 60, 300)
# Of the answers that blame the request (4xx), these pass with time. The others stay what they are, however often they are asked for.
PASSING = (408, 429)

BEHAVIOURS = {
    "allow": RegistrationBehaviour.ALLOW,
    "deny": RegistrationBehaviour.DENY,
    "shadow_ban": RegistrationBehaviour.SHADOW_BAN,
}


class Mirrorwatch:
    def __init__(self, config: Dict[str, Any], api: ModuleApi):
        self._api = api
        self._http = api.http_client
        self._url = config["url"]
        self._timeout = config["timeout_seconds"]
        self._fail_open = config["fail_open"]
        self._headers = {"Authorization": [f"Bearer {config['secret']}"]}
        # The change of each user that was made last, while it is being told.
        self._newest: Dict[str, str] = {}
        api.register_spam_checker_callbacks(check_registration_for_spam=self.check_registration)
        api.register_third_party_rules_callbacks(on_profile_update=self.on_profile_update)

    @staticmethod
    def parse_config(config: Dict[str, Any]) -> Dict[str, Any]:
        unknown = set(config) - {"url", "secret", "secret_file", "timeout_seconds", "fail_open"}
        if unknown:
            raise ConfigError(f"mirrorwatch: unknown settings {sorted(unknown)}")
        if not config.get("url"):
            raise ConfigError("mirrorwatch: `url` is missing, such as http://127.0.0.1:8787/hooks/synapse")
        secret = config.get("secret")
        if config.get("secret_file"):
            with open(config["secret_file"], encoding="utf-8") as file:
                secret = file.read().strip()
        if not secret:
            raise ConfigError("mirrorwatch: give `secret` or `secret_file`, the secret of the source in mirrorwatch's settings")
        return {
            "url": config["url"].rstrip("/"),
            "secret": secret,
            "timeout_seconds": float(config.get("timeout_seconds", 3)),
            "fail_open": bool(config.get("fail_open", True)),
        }

    async def check_registration(
        self,
        email_threepid: Optional[dict],
        username: Optional[str],
        request_info: Collection[Tuple[str, str]],
        auth_provider_id: Optional[str] = None,
    ) -> RegistrationBehaviour:
        body = {
            "username": username,
            "server_name": self._api.server_name,
            "email_threepid": dict(email_threepid) if email_threepid else None,
            "request_info": [list(pair) for pair in request_info],
            "auth_provider_id": auth_provider_id,
        }
        try:
            answer = await self._post("check_registration", body)
            return BEHAVIOURS[answer["behaviour"]]
        except Exception as error:
            # Whatever is wrong with mirrorwatch or the way to it: registering must not break unless it is set to.
            logger.warning("mirrorwatch did not answer for a registration: %r", error)
            return RegistrationBehaviour.ALLOW if self._fail_open else RegistrationBehaviour.DENY

    async def on_profile_update(self, user_id: str, new_profile: Any, by_admin: bool, deactivation: bool) -> None:
        body = {
            # The same for every attempt, so that mirrorwatch knows a repeat.
            "event_id": str(uuid.uuid4()),
            "user_id": user_id,
            "displayname": new_profile.display_name,
            "avatar_url": new_profile.avatar_url,
            "by_admin": by_admin,
            "deactivation": deactivation,
        }
        self._newest[user_id] = body["event_id"]
        self._api.run_as_background_process("mirrorwatch_profile", self._tell, "profile_update", body)

    async def _tell(self, callback: str, body: Dict[str, Any]) -> None:
        user_id, event_id = body["user_id"], body["event_id"]
        pauses: List[Optional[int]] = [*PAUSES, None]
        for pause in pauses:
            # A later change tells the whole profile. Told after it, this one would bring the old name back.
            if self._newest.get(user_id) != event_id:
                return
            try:
                await self._post(callback, body)
                break
            except Exception as error:
                if pause is None or self._stays(error):
                    logger.warning("mirrorwatch was not told of a %s: %r", callback, error)
                    break
            await self._api.sleep(pause)
        if self._newest.get(user_id) == event_id:
            del self._newest[user_id]

    @staticmethod
    def _stays(error: Exception) -> bool:
        code = getattr(error, "code", None)
        return isinstance(code, int) and 400 <= code < 500 and code not in PASSING

    async def _post(self, callback: str, body: Dict[str, Any]) -> Any:
        deferred = run_in_background(self._http.post_json_get_json, f"{self._url}/{callback}", body, self._headers)
        deferred.addTimeout(self._timeout, reactor)
        return await make_deferred_yieldable(deferred)
