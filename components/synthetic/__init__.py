"""Synthetic paediatric chest X-rays: what the demo and the tests learn from.

Drawn, not learnt: `anatomy` holds a healthy chest, `opacities` what pneumonia adds to it,
`drawing` exposes the two into an image, `plan` decides who is photographed and under which name,
and `generate` writes the folders. No image resembles a real person's.
"""
