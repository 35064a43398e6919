"""A program with a bug: it charges orders for a few seconds, then dies with a traceback on one that has no currency.

The bug is the same each time, so a crash loop, its countdown and its crash reports can be seen within half a minute.
It is fixed once the file that $DEMO_FIX names is there: started then, it lives, and charges order after order.
"""

import argparse
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from procdeck.demo.log import log

RATES = {"EUR": 100, "USD": 92, "CHF": 104}
"""What 100 of a currency cost in euros."""

QUEUE = """\
{"id": 1041, "customer": "Ada", "amount": 4900, "currency": "EUR"}
{"id": 1042, "customer": "Grace", "amount": 12050, "currency": "USD"}
{"id": 1043, "customer": "Linus", "amount": 1999, "currency": "CHF"}
{"id": 1044, "customer": "Edsger", "amount": 3100, "currency": "EUR"}
{"id": 1045, "customer": "Barbara", "amount": 1850}
"""
"""Orders as they come from the shop; amounts in cents."""

Order = dict[str, Any]


class ChargeError(Exception):
    """An order could not be charged."""


def is_fixed() -> bool:
    """Tell whether somebody has fixed the bug."""
    fix = os.environ.get("DEMO_FIX")
    return fix is not None and Path(fix).exists()


def in_euros(order: Order) -> int:
    """Convert the order's amount to cents of a euro."""
    return int(order["amount"]) * RATES[order["currency"]] // 100


def charge(order: Order) -> None:
    """Charge one order to its customer."""
    try:
        cents = in_euros(order)
    except KeyError as error:
        raise ChargeError(f"cannot charge order {order['id']}: no {error.args[0]}") from error
    log(f"charged order={order['id']} customer={order['customer']} {cents / 100:.2f} EUR")


def work_off(orders: list[Order], seconds: float) -> None:
    """Charge the orders one after the other, the last of them after that many seconds."""
    for number, order in enumerate(orders):
        time.sleep(seconds / (len(orders) - 1) if number else 0)
        if len(orders) - number == 2:
            log(f"payment gateway slow, retried order={order['id']}", "warn")
        charge(order)


def main() -> None:
    """Work until the bug, SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Work for a few seconds, then crash.")
    parser.add_argument("--after", type=float, default=4.0, metavar="SECONDS", help="seconds until the crash (4)")
    after: float = parser.parse_args().after
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        orders = [json.loads(line) for line in QUEUE.splitlines()]
        log(f"{len(orders)} orders to charge  pid={os.getpid()}", "good")
        fixed = is_fixed()
        if fixed:
            orders = [{"currency": "EUR", **order} for order in orders]
            log(f"fixed: an order without a currency is in euros  fix={os.environ['DEMO_FIX']}", "good")
        work_off(orders, after)
        while fixed:
            orders = [{**order, "id": order["id"] + len(orders)} for order in orders]
            time.sleep(after / len(orders))
            work_off(orders, after)
    log("stopped")


if __name__ == "__main__":
    main()
