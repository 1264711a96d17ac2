"""Files to and from charge points: HTTP(S), FTP, and the folder that holds the bytes."""
