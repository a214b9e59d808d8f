"""Synthetic paediatric chest X-rays: data of the demo and the tests.

Drawn, not modelled: `anatomy` holds a healthy chest, `opacities` what pneumonia adds to it,
`drawing` exposes the two into an image, `plan` decides who is photographed and under which name,
and `generate` writes the folders. No image resembles a real person's.
"""
