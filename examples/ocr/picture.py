"""Pictures: one with known text to read, and one that shows what was read."""

from PIL import Image, ImageDraw, ImageFont

# What the picture says; the tests expect exactly this back.
LINES = [
    "Compile a model once",
    "and run it on every chip",
    "one file, 3 devices",
    "15 August 2024",
    "12 eggs, 3 apples, 7 pears",
]

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def load_font(size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(FONT, size)
    except OSError as error:
        raise SystemExit(f"no font at {FONT}; install the package fonts-dejavu-core") from error


def make_picture(lines: list[str] = LINES, size: tuple[int, int] = (800, 480)) -> Image.Image:
    """Black text on a paper-like ground, lines of different sizes and indents."""
    width, height = size
    image = Image.new("RGB", size, (248, 246, 240))
    draw = ImageDraw.Draw(image)
    step = height / (len(lines) + 0.5)
    for index, line in enumerate(lines):
        font_size = int(step * (0.42 + 0.06 * (index % 3)))
        position = (width * (0.05 + 0.02 * (index % 2)), step * (index + 0.35))
        draw.text(position, line, fill=(20, 20, 30), font=load_font(font_size))
    return image


def draw_result(image: Image.Image, lines: list) -> Image.Image:
    """The picture with its boxes, and beside it the text that was read."""
    width, height = image.size
    result = Image.new("RGB", (2 * width, height), "white")
    result.paste(image, (0, 0))
    draw = ImageDraw.Draw(result)
    for line in lines:
        corners = [tuple(map(float, corner)) for corner in line.box]
        draw.polygon(corners, outline=(220, 40, 40), width=2)
        line_height = max(12.0, corners[3][1] - corners[0][1])
        draw.text((width + corners[0][0], corners[0][1]), line.text, fill=(20, 80, 20),
                  font=load_font(int(0.6 * line_height)))
    return result
