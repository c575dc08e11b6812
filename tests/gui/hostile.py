"""Names that try to become markup, and a check that they would if they were let."""

# Each sets `window.hurt` where a page takes it for HTML, for a template or for an address.
NAMES = (
    "<img src=x onerror=window.hurt=1>",
    "</script><script>window.hurt=1</script>",
    "\"'><svg onload=window.hurt=1>",
    "{{constructor.constructor('window.hurt=1')()}}",
    "`${window.hurt=1}`",
    "javascript:window.hurt=1",
    '"] --> x["<b onmouseover=window.hurt=1>b</b>',
)
NAME = " ".join(NAMES)
README = f"""# {NAME}

<script>window.hurt=1</script>

[click](javascript:window.hurt=1)

<iframe src='javascript:window.hurt=1'></iframe>
"""
