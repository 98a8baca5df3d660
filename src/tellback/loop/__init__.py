"""Telling people: subscriptions, changelog, notifications and receipts."""
