"""Delivery in: verified, stored, answered; then taken, handled, and given back."""
