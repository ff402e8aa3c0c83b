"""The ground of every call of the API: keys, limits, errors, pages, repeats and the OpenAPI document."""
