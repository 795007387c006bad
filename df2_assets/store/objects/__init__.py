"""The same store on objects: whole puts instead of renames, listings instead of folders."""
