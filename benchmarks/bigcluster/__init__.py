"""A cluster of the size that hurts: 1,000 nodes, 30,000 pods, 60,000 events.

``patterns`` says what one object of each kind looks like, ``spread`` what there is of each in
which place, ``filling`` writes it into a real etcd, ``recording`` into a snapshot file.
"""
