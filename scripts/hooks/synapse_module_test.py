"""Plays Synapse to the module `synapse_mirrorwatch.py` without Synapse's package: what is told again, and what is not.

    python3 scripts/hooks/synapse_module_test.py

The module beside a real Synapse is `scripts/test-synapse`.
"""

import asyncio
import enum
import sys
import types
import unittest
from pathlib import Path


class Behaviour(enum.Enum):
    ALLOW, DENY, SHADOW_BAN = range(3)


def stub(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


stub("synapse")
stub("synapse.module_api", ModuleApi=object, make_deferred_yieldable=None, run_in_background=None)
stub("synapse.module_api.errors", ConfigError=ValueError)
stub("synapse.spam_checker_api", RegistrationBehaviour=Behaviour)
stub("twisted")
stub("twisted.internet", reactor=None)
sys.path.insert(0, str(Path(__file__).parents[1]))
from synapse_mirrorwatch import PAUSES, Mirrorwatch  # noqa: E402


class Answered(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Api:
    """Runs what Synapse runs in the background when it is told to; pauses are only written down."""

    http_client = None

    def __init__(self):
        self.pauses, self.background, self.while_pausing = [], [], None

    def register_spam_checker_callbacks(self, **_):
        pass

    register_third_party_rules_callbacks = register_spam_checker_callbacks

    def run_as_background_process(self, _, function, *arguments):
        self.background.append(function(*arguments))

    async def sleep(self, seconds):
        self.pauses.append(seconds)
        if self.while_pausing:
            action, self.while_pausing = self.while_pausing, None
            await action()


def played(answers):
    """A module whose requests are answered so, one after the other, then 200; what it sent."""
    api = Api()
    config = Mirrorwatch.parse_config({"url": "http://127.0.0.1:1/hooks/synapse", "secret": "s"})
    module, sent = Mirrorwatch(config, api), []

    async def post(_, body):
        sent.append(body["displayname"])
        code = answers.pop(0) if answers else 200
        if code != 200:
            raise Answered(code)
        return {}

    module._post = post
    return api, module, sent


async def change(module, name):
    profile = types.SimpleNamespace(display_name=name, avatar_url=None)
    await module.on_profile_update("@a:test", profile, False, False)


class Telling(unittest.TestCase):
    def test_what_passes_is_told_again(self):
        for code in (503, 429, 408, 500):
            api, module, sent = played([code, code])
            asyncio.run(change(module, "A"))
            asyncio.run(api.background.pop())
            self.assertEqual((sent, api.pauses, module._newest), (["A"] * 3, list(PAUSES[:2]), {}))
        api, module, sent = played([503] * 9)
        asyncio.run(change(module, "A"))
        asyncio.run(api.background.pop())
        self.assertEqual((len(sent), module._newest), (len(PAUSES) + 1, {}))

    def test_what_was_refused_is_not(self):
        for code in (400, 401, 404, 422):
            api, module, sent = played([code] * 9)
            asyncio.run(change(module, "A"))
            asyncio.run(api.background.pop())
            self.assertEqual((sent, api.pauses, module._newest), (["A"], [], {}))

    def test_an_old_name_is_not_told_after_a_new_one(self):
        api, module, sent = played([503])

        async def meanwhile():
            await change(module, "B")
            await api.background.pop()

        api.while_pausing = meanwhile
        asyncio.run(change(module, "A"))
        asyncio.run(api.background.pop(0))
        self.assertEqual((sent, module._newest), (["A", "B"], {}))


if __name__ == "__main__":
    unittest.main()
