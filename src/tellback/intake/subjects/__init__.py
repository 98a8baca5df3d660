"""What is known of a person: exported to them, erased for them, forgotten in time.

Each room says in its module `privacy` what it holds (`holders.holds`); nobody else needs to know.
"""
