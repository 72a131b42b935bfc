"""``python -m aws``, with this folder's parent on the path."""

from aws.run import main

raise SystemExit(main())
