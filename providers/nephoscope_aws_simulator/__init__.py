"""A simulated AWS account over real HTTP, for `make demo` and for the tests.

It is moto's server with three things added: what moto answers differently from AWS (`corrections`), real
authorisation, so that least privilege is proven and not claimed (`authorize`), and a control plane to age keys,
inject failures and count calls (`control`). Nothing of the product may import this package.
"""
