"""The addresses of the product's routes, for tests that walk them all."""

from collections.abc import Iterator

from django.urls import URLResolver


def list_routes(resolver: URLResolver, prefix: str = "/", *, fill: str = "1") -> Iterator[str]:
    """One address for each named route, with ``fill`` for whatever it takes."""
    for name in list(resolver.reverse_dict):
        if isinstance(name, str):
            for possibilities, *_ in resolver.reverse_dict.getlist(name):
                for address, parameters in possibilities:
                    yield prefix + address % dict.fromkeys(parameters, fill)
    for inner_prefix, inner in resolver.namespace_dict.values():
        yield from list_routes(inner, prefix + inner_prefix, fill=fill)
