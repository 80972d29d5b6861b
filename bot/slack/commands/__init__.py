"""Commands of ``/rca``: one file each, found by the registry through its constant ``COMMAND``."""
