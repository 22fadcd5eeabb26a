"""What the box does once at each start, before agentd: take what its owner wrote on the card's FAT
partition, give itself an identity, and write a report that a person understands.

Nothing here is needed to run: whatever fails, the last good state stays and agentd starts.
"""
