"""Services that wake somebody, one file each; ``registry`` finds them by their ``PAGER`` constant."""
