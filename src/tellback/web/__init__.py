"""The pages' shell and design system."""
