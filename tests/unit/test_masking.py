"""Secrets are hidden from other eyes, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.masking import MASK, masked, masked_environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY_BASE", "d41d8cd9"),
        ("STRIPE_API_KEY", "pk"),
        ("DB_PASSWORD", "hunter2"),
        ("MYSQL_PWD", "x"),
        ("GITHUB_TOKEN", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("SENTRY_DSN", "https://abc@o1.ingest.sentry.io/2"),
        ("BASIC_AUTH", "a:b"),
        ("HARMLESS", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("HARMLESS", "AKIAIOSFODNN7EXAMPLE"),
        ("HARMLESS", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
        ("HARMLESS", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig"),
    ],
)
def test_a_secret_is_hidden_whole(name: str, value: str) -> None:
    assert masked(name, value) == MASK


@pytest.mark.parametrize(
    ("name", "value"),
    [("PATH", "/usr/bin"), ("PORT", "5000"), ("PWD", "/srv"), ("SSH_AUTH_SOCK", "/run/x"), ("EMPTY_TOKEN", "")],
)
def test_what_is_none_is_shown(name: str, value: str) -> None:
    assert masked(name, value) == value


def test_of_an_address_only_the_password_is_hidden() -> None:
    assert masked("DATABASE_URL", "postgres://shop:hunter2@db:5432/shop") == f"postgres://shop:{MASK}@db:5432/shop"
    assert masked("REDIS_URL", "redis://localhost:6379/0") == "redis://localhost:6379/0"
    assert masked("TWO", "a://b:c@d e://f:g@h") == f"a://b:{MASK}@d e://f:{MASK}@h"


@given(
    st.text(
        min_size=8, alphabet=st.characters(codec="ascii", exclude_characters="/@:• \n", exclude_categories=["C", "Z"])
    )
)
def test_no_password_of_an_address_is_ever_told(password: str) -> None:
    assert password not in masked("DATABASE_URL", f"postgres://u:{password}@h/x").replace("postgres://u:", "")


def test_names_stay() -> None:
    assert masked_environment({"A": "1", "TOKEN": "x"}) == {"A": "1", "TOKEN": MASK}
