"""The subscribers of a soak: they unsubscribe by one click, are erased and change addresses, at known times."""

import http.client
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from tests.soak.addresses import address_of, uuid_of
from tests.soak.staff_process import StaffProcess
from tests.support.processes import Installation

ONE_CLICK = b"List-Unsubscribe=One-Click"
ANSWER_SECONDS = 20.0


class Readers:
    """``gone_at`` has, of each address that must not be mailed any more, the moment (seconds since 1970) of the answer.

    Whoever was not answered is in nobody's debt and is not in it.
    """

    def __init__(
        self, here: Installation, *, chance: random.Random, people: int, port: Callable[[], int], by_hand: StaffProcess
    ) -> None:
        self._by_hand = by_hand
        self._here, self._chance, self._people, self._port = here, chance, people, port
        self.gone_at: dict[str, float] = {}
        self.moved: set[int] = set()
        self.erased: set[int] = set()
        self._chosen: set[int] = set()
        self._make_links = self._signer()

    def leave(self, *, count: int) -> int:
        """Let so many people unsubscribe by one click. Return how many got an answer."""
        return sum(self._leave(self._choose()) for _ in range(count))

    def erase(self) -> bool:
        return self._change("erase", self.erased)

    def move(self) -> bool:
        return self._change("move", self.moved)

    def _leave(self, number: int) -> bool:
        path = urlsplit(self._make_links([uuid_of(number).bytes])[0]).path
        connection = http.client.HTTPConnection("127.0.0.1", self._port(), timeout=ANSWER_SECONDS)
        try:
            connection.request("POST", path, ONE_CLICK, {"Content-Type": "application/x-www-form-urlencoded"})
            answered = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            answered = False
        finally:
            connection.close()
        if answered:
            self.gone_at[address_of(number)] = time.time()
        return answered

    def _change(self, what: str, changed: set[int]) -> bool:
        number = self._choose()
        done = self._by_hand.do(what, number)
        if done:
            changed.add(number)
            self.gone_at[address_of(number)] = time.time()
        return done

    def _signer(self) -> Callable[[Sequence[bytes]], list[str]]:
        from subscribers.links.signed_links import Purpose, Signer, link_keys

        [(public_id,)] = self._here.query("SELECT public_id FROM subscribers_mailinglist")
        signer = Signer(link_keys(), site_url="http://127.0.0.1:8000", issued=datetime.now(UTC))
        return signer.maker(Purpose.UNSUBSCRIBE, bytes.fromhex(public_id))

    def _choose(self) -> int:
        """Return somebody to whom nothing has happened yet."""
        while True:
            number = self._chance.randrange(1, self._people + 1)
            if number not in self._chosen:
                self._chosen.add(number)
                return number
