"""Light, camera, traffic and the rendering of one frame with its class map."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from street import Layout


@dataclass(frozen=True)
class Look:
    """Time of day and weather."""

    sun: float  # elevation in degrees; below -20 there is none
    turn: float = 40.0  # where the sun stands, degrees from straight ahead
    cloud: float = 0.2
    wet: float = 0.0
    lamps: float = 0.0
    exposure: float = 0.0
    autumn: float = 0.0


LOOKS = {
    "sunny": Look(38, 55, 0.25),
    "noon": Look(62, -120, 0.35),
    "morning": Look(16, -70, 0.3, exposure=0.35),
    "evening": Look(11, 130, 0.35, exposure=0.5, autumn=0.3),
    "cloudy": Look(-30, 0, 1.0, exposure=0.1),
    "rain": Look(-30, 0, 1.0, wet=1.0, lamps=0.35, exposure=-0.1, autumn=0.15),
    "dusk": Look(1.5, 160, 0.5, lamps=1.0, exposure=1.7, wet=0.15),
}


def clear() -> None:
    """Start from an empty file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def settings(width: int, height: int, samples: int, threads: int, look: Look) -> None:
    """Render settings: few samples, few bounces, denoised; the class index as a file of its own."""
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.threads_mode, render.threads = "FIXED", threads
    render.use_persistent_data = True
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.image_settings.compression = 15
    cycles.device, cycles.samples = "CPU", samples
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 1, 2
    cycles.transmission_bounces = cycles.transparent_max_bounces = 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.blur_glossy = 1.0
    cycles.sample_clamp_indirect = 4.0
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes, cycles.denoising_prefilter = "RGB_ALBEDO_NORMAL", "FAST"
    cycles.denoising_quality = "FAST"
    cycles.use_light_tree = False
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = look.exposure
    scene.view_layers[0].use_pass_object_index = True
    scene.view_layers[0].use_pass_z = True


def light(look: Look, rng: np.random.Generator) -> None:
    """Sky (with clouds mixed in) and sun."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 256
    tree = world.node_tree
    back = tree.nodes["Background"]
    sky = tree.nodes.new("ShaderNodeTexSky")
    sky.sky_type, sky.sun_disc = "NISHITA", False
    sky.sun_elevation = math.radians(look.sun if look.sun > -20 else 35)
    sky.sun_rotation = math.radians(look.turn)
    sky.dust_density, sky.air_density = 1.6, 1.0
    where = tree.nodes.new("ShaderNodeTexCoord")
    split = tree.nodes.new("ShaderNodeSeparateXYZ")
    lift = tree.nodes.new("ShaderNodeMath")
    lift.operation, lift.inputs[1].default_value = "ADD", 0.12
    flat = tree.nodes.new("ShaderNodeVectorMath")
    flat.operation = "DIVIDE"
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = 0.9
    noise.inputs["Detail"].default_value = 7.0
    shift = tree.nodes.new("ShaderNodeVectorMath")
    shift.inputs[1].default_value = tuple(rng.uniform(0, 50, 3))
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    start = 0.66 - 0.42 * look.cloud
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = start, min(0.98, start + 0.22)
    tint = tree.nodes.new("ShaderNodeMix")
    tint.data_type = "RGBA"
    grey = 2.6 if look.sun > 8 or look.sun < -20 else 0.55
    tone = tree.nodes.new("ShaderNodeMix")  # cloud undersides vary
    tone.data_type = "RGBA"
    low, high = (0.42 * grey, 0.95 * grey)
    tone.inputs[6].default_value = (low, low * 1.02, low * 1.06, 1)
    tone.inputs[7].default_value = (high, high, high, 1)
    link = tree.links.new
    link(where.outputs["Generated"], split.inputs[0])
    link(split.outputs[2], lift.inputs[0])
    link(where.outputs["Generated"], flat.inputs[0])
    link(lift.outputs[0], flat.inputs[1])
    link(flat.outputs[0], shift.inputs[0])
    link(shift.outputs[0], noise.inputs["Vector"])
    link(noise.outputs["Fac"], ramp.inputs["Fac"])
    link(noise.outputs["Fac"], tone.inputs[0])
    link(ramp.outputs["Color"], tint.inputs[0])
    link(sky.outputs["Color"], tint.inputs[6])
    link(tone.outputs[2], tint.inputs[7])
    link(tint.outputs[2], back.inputs["Color"])
    back.inputs["Strength"].default_value = 0.36
    if look.sun > -20:
        lamp = bpy.data.lights.new("sun", "SUN")
        warm = float(np.clip((look.sun - 2) / 30, 0, 1))
        lamp.energy = 0.25 + 3.6 * warm**0.5
        lamp.color = (1.0, 0.62 + 0.34 * warm, 0.36 + 0.55 * warm)
        lamp.angle = math.radians(0.6)
        thing = bpy.data.objects.new("sun", lamp)
        thing.rotation_euler = (math.radians(90 - look.sun), 0, math.radians(180 - look.turn))
        bpy.context.scene.collection.objects.link(thing)


def camera(field_of_view: float) -> bpy.types.Object:
    """The dashcam."""
    lens = bpy.data.cameras.new("dashcam")
    lens.sensor_fit, lens.angle = "HORIZONTAL", field_of_view
    lens.clip_start, lens.clip_end = 0.1, 2000
    thing = bpy.data.objects.new("dashcam", lens)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = thing
    return thing


def aim(
    cam: bpy.types.Object, layout: Layout, pose: tuple[float, float, float], turn: tuple[float, float, float]
) -> None:
    """Stand at pose (s, lat, height) and look along the street, turned by (pitch, roll, yaw)."""
    cam.location = layout.point(*pose)
    ahead = layout.heading(pose[0] + 4.0)
    cam.rotation_euler = (math.pi / 2 + turn[0], turn[1], ahead + turn[2])


def write_frame(picture: Path, truth: Path) -> None:
    """Render the picture, then the class map (object index) through the exact middle of each pixel."""
    scene, cycles = bpy.context.scene, bpy.context.scene.cycles
    scene.use_nodes = False
    scene.render.filepath = str(picture.with_suffix(".part.png"))
    bpy.ops.render.render(write_still=True)
    kept = (cycles.samples, cycles.use_denoising, cycles.max_bounces, cycles.filter_width)
    cycles.samples, cycles.use_denoising, cycles.max_bounces, cycles.filter_width = 1, False, 0, 0.01
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    layers = tree.nodes.new("CompositorNodeRLayers")
    files = tree.nodes.new("CompositorNodeOutputFile")
    folder = truth.parent / f".{truth.stem}"
    files.base_path = str(folder)
    files.format.file_format, files.format.color_mode, files.format.color_depth = "PNG", "BW", "8"
    files.format.color_management = "OVERRIDE"
    files.format.view_settings.view_transform = "Raw"
    files.file_slots.clear()
    files.file_slots.new("truth")
    share = tree.nodes.new("CompositorNodeMath")
    share.operation = "DIVIDE"
    share.inputs[1].default_value = 255.0
    tree.links.new(layers.outputs["IndexOB"], share.inputs[0])
    tree.links.new(share.outputs[0], files.inputs[-1])
    scene.render.filepath = str(folder / "unused.png")
    bpy.ops.render.render(write_still=False)
    cycles.samples, cycles.use_denoising, cycles.max_bounces, cycles.filter_width = kept
    shutil.move(next(folder.glob("truth*.png")), truth)
    shutil.rmtree(folder)
    picture.with_suffix(".part.png").rename(picture)


def remove(things: list[bpy.types.Object]) -> None:
    """Take objects out of the scene again."""
    for thing in things:
        bpy.data.objects.remove(thing)
