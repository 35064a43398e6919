"""The dashboard in a browser: a web server on this machine's own address only, and the viewer that runs behind each
window. Imported by nothing but `procdeck serve`, as what it needs is an extra.
"""
