"""A local web page over saved runs: `app.create_app` makes it, `serve.serve` puts it on 127.0.0.1."""
