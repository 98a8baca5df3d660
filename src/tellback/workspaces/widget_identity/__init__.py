"""Who somebody is in the widget, said by a customer's server in a signed token: keys, tokens, sessions."""
