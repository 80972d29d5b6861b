"""Decisions about telling, quiet and rights. Pure: values in, values out."""
