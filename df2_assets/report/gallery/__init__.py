"""The gallery: a static site per split, with SKUs to browse, findings of checks and refusals.

It needs neither a server nor a network. A copy of the folder works on another machine, too.
"""
